"""The scoreboard as one HTML page that needs nothing else: style and pictures are inside, and no network is used."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from photochrom.evaluation.cases import Case, shrunk
from photochrom.evaluation.columns import COLUMNS, Column, Group
from photochrom.evaluation.contestants import CLEAN_VIEWS, NATIVE, SQUASH
from photochrom.evaluation.cost import FIGURES
from photochrom.evaluation.photographs import Rgb
from photochrom.evaluation.scoreboard import Summary
from photochrom.evaluation.summary import Estimate

PICTURE_PX = 320

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; --mark: #8881; --accent: #2f6f9f; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem; text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
thead th { font-weight: 600; } thead th[title] { cursor: help; }
tr.yardstick td { color: var(--soft); }
td small { color: var(--soft); display: block; white-space: nowrap; }
.case { display: flex; gap: .6rem; overflow-x: auto; margin: .4rem 0 1.2rem; }
figure { margin: 0; } figure img { display: block; max-width: 15rem; height: auto; background: var(--mark); }
figcaption, .note { color: var(--soft); font-size: .85rem; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 0; }
svg { max-width: 30rem; width: 100%; } svg text { fill: currentColor; font-size: 11px; }
"""


def render_page(summary: Summary, cases: Sequence[Case]) -> str:
    """Return the page. Everything that came from files or names is escaped."""
    parts = [
        _heading(summary),
        *_clean_view(summary, NATIVE, "Native size and aspect ratio"),
        *_clean_view(summary, SQUASH, "Squashed to 256 x 256 (for comparison with older tables)"),
        *_stress(summary),
        *_costs(summary),
        *_reliability(summary),
        *_cases(cases),
        *_method(summary),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>photochrom scoreboard</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _heading(summary: Summary) -> str:
    skipped = summary["skipped"]
    left_out = f" {len(skipped)} pictures were left out (listed at the end)." if skipped else ""
    return (
        f"<h1>Scoreboard</h1><p>{summary['photographs']} colour photographs, {summary['labelled']} of them with an "
        f"ImageNet label.{left_out} Small figures are 95 % intervals. Hover over a column's title for its meaning.</p>"
    )


def _clean_view(summary: Summary, view: str, title: str) -> list[str]:
    rows = summary["views"].get(view)
    if not rows:
        return []
    parts = [f"<h2>{escape(title)}</h2>"]
    for group in Group:
        columns = [column for column in COLUMNS if column.group is group and _is_measured(rows, column.key)]
        if columns:
            lines = [(row, row, cells) for row, cells in rows.items()]
            parts += [f"<h3>{escape(group)}</h3>", _table("row", columns, lines, summary)]
    return parts


def _is_measured(rows: dict[str, dict[str, Estimate]], key: str) -> bool:
    return any(columns.get(key, {}).get("value") is not None for columns in rows.values())


def _stress(summary: Summary) -> list[str]:
    splits = [view for view in summary["views"] if view not in CLEAN_VIEWS]
    if not splits:
        return []
    note = (
        "The grey was degraded before colouring; the truth was not. The row “truth” has the true colours under the "
        "degraded luma: what its gamut still allows."
    )
    parts = [f"<h2>Stress splits</h2><p class=note>{note}</p>"]
    columns = [column for column in COLUMNS if column.stressed]
    for row in summary["views"][splits[0]]:
        lines = [(split, row, summary["views"][split][row]) for split in splits]
        parts += [f"<h3>{escape(row)}</h3>", _table("split", columns, lines, summary)]
    return parts


def _table(
    corner: str, columns: Sequence[Column], lines: Sequence[tuple[str, str, dict[str, Estimate]]], summary: Summary
) -> str:
    """Return a table; each line is its title, the row whose kind decides how it looks, and its cells."""
    head = "".join(f'<th title="{escape(column.meaning)}">{escape(column.title)}</th>' for column in columns)
    body = []
    for title, row, cells in lines:
        shown = "".join(f"<td>{_number(cells.get(column.key), column)}</td>" for column in columns)
        body.append(f'<tr class="{escape(summary["rows"][row]["kind"])}"><td>{escape(title)}</td>{shown}</tr>')
    return _table_of(corner, head, body)


def _table_of(corner: str, head: str, body: Sequence[str]) -> str:
    return (
        f"<div class=wide><table><thead><tr><th>{escape(corner)}</th>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _number(estimate: Estimate | None, column: Column) -> str:
    if not estimate or estimate["value"] is None:
        return "–"
    low, high = estimate["low"], estimate["high"]
    interval = f"<small>{column.text(low)} … {column.text(high)}</small>" if low is not None else ""
    return f"{column.text(estimate['value'])}{' %' if column.percent else ''}{interval}"


def _costs(summary: Summary) -> list[str]:
    if not summary["cost"]:
        return []
    head = "".join(f"<th>{escape(title)}</th>" for title in FIGURES.values())
    body = []
    note = (
        "Each model in a process of its own, on this machine; memory is the peak of the whole process, Python included."
    )
    for row, figures in summary["cost"].items():
        cells = "".join(f"<td>{_plain(figures.get(key))}</td>" for key in FIGURES)
        body.append(f"<tr><td>{escape(row)}</td>{cells}</tr>")
    return [f"<h2>Cost</h2><p class=note>{note}</p>", _table_of("model", head, body)]


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _reliability(summary: Summary) -> list[str]:
    parts = []
    for row, found in summary["reliability"].items():
        within = found["within_picture"]["value"]
        text = (
            f"Rank correlation of uncertainty and CIEDE2000: {_plain(found['pixels_spearman'])} over all cells, "
            f"{_plain(within)} within a picture, {_plain(found['between_pictures'])} between pictures "
            f"({found['cells']} cells; linear {_plain(found['pixels_pearson'])})."
        )
        title = f"Does {escape(row)} know where it is wrong?"
        parts += [f"<h2>{title}</h2><p>{text}</p>", _reliability_plot(found["curve"])]
    return parts


def _reliability_plot(curve: Sequence[dict[str, float]]) -> str:
    """Return an SVG: mean error (upwards) against mean confidence (to the right), a point per tenth of the cells."""
    width, height, margin = 420, 260, 40
    top = max(point["error"] for point in curve) * 1.1 or 1.0

    def place(point: dict[str, float]) -> tuple[float, float]:
        x = margin + point["confidence"] * (width - 2 * margin)
        return x, height - margin - point["error"] / top * (height - 2 * margin)

    places = [place(point) for point in curve]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="var(--accent)"/>' for x, y in places)
    right, bottom = width - margin, height - margin
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Reliability plot">'
        f'<path d="M{margin} {margin}V{bottom}H{right}" fill="none" stroke="var(--soft)"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--accent)" stroke-width="2"/>{dots}'
        f'<text x="{margin}" y="{margin - 10}">mean CIEDE2000 (axis to {top:.1f})</text>'
        f'<text x="{margin}" y="{bottom + 18}">0</text>'
        f'<text x="{right}" y="{bottom + 18}" text-anchor="end">confidence 1</text></svg>'
    )


def _cases(cases: Sequence[Case]) -> list[str]:
    parts = ["<h2>Worst, median and best</h2>"] if cases else []
    for case in cases:
        figures = "".join(_figure(*picture) for picture in case.pictures)
        parts.append(f"<h3>{escape(case.kind)}: {escape(case.key)}</h3><div class=case>{figures}</div>")
    return parts


def _figure(caption: str, rgb: Rgb, error: float | None) -> str:
    buffer = io.BytesIO()
    image = shrunk(rgb, PICTURE_PX)
    image.save(buffer, "JPEG", quality=88, subsampling="4:4:4")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = escape(caption) + (f", {error:.1f}" if error is not None else "")
    return (
        f'<figure><img alt="{escape(caption)}" width="{image.width}" height="{image.height}" '
        f'src="data:image/jpeg;base64,{data}"><figcaption>{text}</figcaption></figure>'
    )


def _method(summary: Summary) -> list[str]:
    facts = {**summary["method"], **{f"features: {key}": value for key, value in summary["features"].items()}}
    facts |= {f"{row}: {key}": value for row, about in summary["rows"].items() for key, value in about.items()}
    facts["photochrom"] = summary["photochrom"]
    parts = ["<h2>Method</h2>", _definitions(facts.items()), "<h2>Columns</h2>"]
    parts.append(_definitions((f"{column.title} ({column.key})", column.meaning) for column in COLUMNS))
    if summary["skipped"]:
        parts += ["<h2>Left out</h2>", _definitions(summary["skipped"].items())]
    return parts


def _definitions(facts: Iterable[tuple[str, Any]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts) + "</dl>"
