"""Print a model card's table of figures from reports: `python scripts/card_rows.py REPORT/ ... [--model NAME]`.

Each REPORT is a folder that `photochrom evaluate` wrote; the row is that of the clean photographs at native aspect.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from photochrom.evaluation.report import SUMMARY

Cell = dict[str, float | None]


def share(cell: Cell, sign: str) -> str:
    """Return a share with its interval in percent."""
    value, low, high = (100 * (cell[part] or 0) for part in ("value", "low", "high"))
    return f"{value:{sign}} ({low:{sign}} ... {high:{sign}}) %"


def number(cell: Cell, digits: int) -> str:
    """Return a figure with its interval."""
    value, low, high = (cell[part] or 0 for part in ("value", "low", "high"))
    return f"{value:.{digits}f} ({low:.{digits}f} ... {high:.{digits}f})"


def card_row(report: Path, model: str, view: str) -> str:
    """Return one line of the card's table."""
    summary: dict[str, Any] = json.loads((report / SUMMARY).read_text(encoding="utf-8"))
    rows = summary["views"][view]
    own, grey = rows[model], rows["grey"]
    cells = [
        report.name,
        number(own["ciede2000"], 2),
        f"{grey['ciede2000']['value']:.2f}",
        share(own["ciede2000_vs_grey"], "+.1f"),
        share(own["colorfulness_vs_truth"], ".0f"),
        number(own["colorfulness_difference"], 1),
        number(own["feature_distance_vs_grey"], 2),
        f"{own['luma_error']['value']:g}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("--model", default="photochrom-color")
    parser.add_argument("--view", default="native")
    given = parser.parse_args()
    for report in given.reports:
        print(card_row(report, given.model, given.view))


if __name__ == "__main__":
    main()
