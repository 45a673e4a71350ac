"""The evidence for an inflection point as a picture: each figure over the photographs seen, with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from photochrom.train.looks import Look

TITLES = {
    "skin_hue_drift": "skin hue,\nLab units off",
    "skin_chroma_drift": "skin chroma,\nLab units off",
    "jitter": "jitter,\nchroma codes",
    "colourfulness_surplus": "colourfulness\nminus the truth's",
}


def write_plot(path: Path, looks: Sequence[Look], best: int, chosen: int | None, limits: Mapping[str, float]) -> None:
    """Write the plot: means and their 95 % bands, dashed what a harmful figure may rise to, and the two choices."""
    # Most of a second to import, which other trainings need not pay.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seen = [look.photos_seen for look in looks]
    figure = Figure(figsize=(9, 10), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2 + len(TITLES), 1, sharex=True)
    panels[0].plot(seen, [look.distance for look in looks], "o-")
    panels[0].set_ylabel("feature distance\n(KID x 1000)", fontsize=8)
    for panel, (name, title) in zip(panels[1:], TITLES.items(), strict=False):
        bands = [look.band(name) for look in looks]
        panel.plot(seen, [look.mean(name) for look in looks], "o-")
        panel.fill_between(seen, [low for low, _ in bands], [high for _, high in bands], alpha=0.2)
        if name in limits:
            panel.axhline(limits[name], color="0.6", linestyle="--")
        panel.set_ylabel(title, fontsize=8)
    panels[-1].plot(seen, [look.critic_accuracy for look in looks], "o-")
    panels[-1].set_ylabel("critic's balanced\naccuracy", fontsize=8)
    panels[-1].set_xlabel("photographs seen")
    for panel in panels:
        panel.axvline(seen[best], color="tab:orange", linestyle=":", label="lowest distance")
        if chosen is not None:
            panel.axvline(seen[chosen], color="tab:green", label="inflection point")
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=90)
