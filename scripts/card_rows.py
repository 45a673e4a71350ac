"""Print a model card's table of figures from reports: `python scripts/card_rows.py REPORT/ ... [--model NAME]`.

Each REPORT is a folder that `photochrom evaluate` wrote; the row is that of the clean photographs at native aspect.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from photochrom.evaluation.contestants import CLEAN_VIEWS
from photochrom.evaluation.report import SUMMARY

Cell = Mapping[str, float | None]


def figure(cell: Cell | None, form: str, *, times: float = 1, unit: str = "") -> str:
    """Return a figure with its interval, as far as they were measured; a dash for what was not."""
    value, low, high = ((cell or {}).get(part) for part in ("value", "low", "high"))
    if value is None:
        return "-"
    between = "" if low is None or high is None else f" ({times * low:{form}} ... {times * high:{form}})"
    return f"{times * value:{form}}{between}{unit}"


def alone(cell: Cell | None, form: str, *, times: float = 1, unit: str = "") -> str:
    """Return a figure without its interval."""
    return figure({"value": (cell or {}).get("value")}, form, times=times, unit=unit)


def card_row(report: Path, model: str, view: str) -> str:
    """Return one line of the card's table; raise SystemExit where the report has no such row."""
    summary: dict[str, Any] = json.loads((report / SUMMARY).read_text(encoding="utf-8"))
    rows = summary["views"].get(view, {})
    if model not in rows:
        raise SystemExit(f"{report}: no row {model!r} in view {view!r}; there are {', '.join(rows) or 'none'}")
    own, grey = rows[model], rows["grey"]
    cells = [
        f"{report.name}, {summary['photographs']}",
        figure(own["ciede2000"], ".2f"),
        alone(grey["ciede2000"], ".2f"),
        figure(own["ciede2000_vs_grey"], "+.1f", times=100, unit=" %"),
        figure(own["colorfulness_vs_truth"], ".0f", times=100, unit=" %"),
        figure(own["colorfulness_difference"], ".1f"),
        figure(own.get("feature_distance_vs_grey"), ".2f"),
        alone(own["false_color"], ".0f", times=100, unit="%"),
        alone(own["missed_color"], ".0f", times=100, unit="%"),
        alone(own["luma_error"], "g"),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("--model", default="photochrom-color")
    parser.add_argument("--view", default="native", choices=CLEAN_VIEWS)
    given = parser.parse_args()
    for report in given.reports:
        print(card_row(report, given.model, given.view))


if __name__ == "__main__":
    main()
