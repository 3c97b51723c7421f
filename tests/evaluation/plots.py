"""The plots of an evaluation, as PNG files."""
import math
import os
import tempfile

os.environ.setdefault("MPLCONFIGDIR", os.path.join(tempfile.gettempdir(), "heliograph-matplotlib"))

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as pyplot  # noqa: E402

from calibration import BINS  # noqa: E402
from measurement import pooled, total  # noqa: E402
from ranking import area_under_curve, curve  # noqa: E402

FEW = 20
MODEL, BASELINE, QUIET = "#1f77b4", "#d95f02", "#888888"
pyplot.rcParams.update({"figure.dpi": 110, "font.size": 10, "axes.grid": True, "grid.alpha": 0.3, "axes.axisbelow": True,
                        "axes.spines.top": False, "axes.spines.right": False})


def draw_all(cases, folder):
    """Draws what there is to draw; (file name, title) of each."""
    drawn = []
    for name, title, draw in (("found", "Capable nodes found, and named rightly", _found),
                              ("reliability", "Do the probabilities mean what they say", _reliability),
                              ("legacy", "Likely legacy: what silence tells", _legacy),
                              ("readiness", "What survives a switch: forecast and truth", _readiness)):
        figure = draw(cases)
        if figure is None:
            continue
        figure.tight_layout()
        figure.savefig(folder / f"{name}.png")
        pyplot.close(figure)
        drawn.append((f"{name}.png", title))
    return drawn


def _found(cases):
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 2 + 0.24 * len(cases)), sharey=True)
    rows = range(len(cases))
    for axis, side, bar in zip(axes, ("recall", "precision"), (0.95, 0.99)):
        for offset, colour, population, label in ((-0.15, MODEL, "all", "Heliograph"),
                                                  (0.15, BASELINE, "baseline suspected too", "CoreScope's rule")):
            values = [getattr(total([case], "detection", population), side) for case in cases]
            axis.plot([math.nan if value is None else value for value in values], [row + offset for row in rows], "o",
                      markersize=5, color=colour, label=label)
        axis.axvline(bar, color=QUIET, linestyle="--", linewidth=1, label=f"bar, {bar} over all cases")
        axis.set_xlabel(side)
        low, _ = axis.get_xlim()
        axis.set_xlim(low, 1 + (1 - low) / 20)
    axes[0].set_yticks(list(rows), [case.case.name for case in cases], fontsize=8)
    axes[0].invert_yaxis()
    axes[0].legend(fontsize=8, loc="lower left")
    return figure


def _reliability(cases):
    figure, axes = pyplot.subplots(2, 2, figsize=(10, 6.5), height_ratios=(4, 1), sharex=True)
    for column, population in zip(axes.T, ("all heard", "relays")):
        column[0].plot([0, 1], [0, 1], color=QUIET, linewidth=1)
        for rule, colour, label in (("baseline", BASELINE, "CoreScope's rule"), ("model", MODEL, "Heliograph")):
            sums = total(cases, "calibration", (population, rule))
            bins = [(said / count, true / count, count) for count, said, true in zip(sums.counts, sums.said, sums.true)
                    if count]
            if not bins:
                return None
            # A bin of a few nodes says little and so is drawn pale.
            for x, y, count in bins:
                column[0].errorbar([x], [y], [[end] for end in _spread(y, count)], fmt="o", color=colour, markersize=5,
                                   capsize=2, linewidth=1, alpha=1 if count >= FEW else 0.3)
            column[0].plot([], [], "o", color=colour,
                           label=f"{label}: error {sums.expected_error:.3f}, Brier {sums.brier:.3f}")
            shift = -0.2 if rule == "model" else 0.2
            column[1].bar([(index + 0.5 + shift) / BINS for index in range(BINS)], sums.counts, 0.4 / BINS, color=colour)
        column[0].set_title(population, fontsize=10)
        column[0].legend(fontsize=8, loc="upper left")
        column[0].set_ylim(-0.03, 1.03)
        column[1].set_yscale("symlog")
        column[1].set_xlabel("probability stated (CoreScope's: fitted to its labels)")
    axes[0][0].set_ylabel("share really capable")
    axes[1][0].set_ylabel("nodes")
    return figure


def _readiness(cases):
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 5.2), sharex=True, sharey=True)
    drawn = False
    kinds = (("node_share", "deliveries to nodes"), ("observer_share", "deliveries to observers"))
    for axis, (kind, title) in zip(axes, kinds):
        axis.plot([0, 1], [0, 1], color=QUIET, linewidth=1)
        for whole, colour, size in ((False, "#9ecae1", 3), (True, MODEL, 5)):
            chosen = [forecast for case in cases for forecast in case.readiness if forecast.share is not None
                      and forecast.kind == kind and (forecast.region is None) == whole]
            if not chosen:
                continue
            drawn = True
            ends = [[f.share - f.low for f in chosen], [f.high - f.share for f in chosen]]
            held = sum(f.covers for f in chosen)
            label = f"{'whole mesh' if whole else 'regions'}: {held} of {len(chosen)} intervals of 80 % hold the truth"
            axis.errorbar([f.true for f in chosen], [f.share for f in chosen], ends, fmt="o", color=colour, markersize=size,
                          linewidth=1, capsize=1.5, label=label)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("share that really survives")
        axis.legend(fontsize=8, loc="upper left")
    axes[0].set_ylabel("share forecast, with its interval")
    if not drawn:
        pyplot.close(figure)
        return None
    return figure


def _spread(share, count, z=1.96):
    """How far below and above the share the 95 % interval of Wilson reaches."""
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0, share - centre + half), max(0, centre + half - share)


def _legacy(cases):
    figure, axis = pyplot.subplots(figsize=(6, 5))
    drawn = False
    for population, colour in (("with an opportunity", MODEL), ("with some opportunity, not confirmed", "#1b9e77"),
                               ("without, not confirmed", QUIET)):
        pairs = pooled(cases, population)
        area = area_under_curve(pairs)
        if area is None:
            continue
        drawn = True
        axis.plot(*zip(*curve(pairs)), color=colour, label=f"relays {population}: {area:.3f}")
    if not drawn:
        pyplot.close(figure)
        return None
    axis.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=":")
    axis.set_xlabel("share of the capable ranked as high")
    axis.set_ylabel("share of the legacy found")
    axis.legend(fontsize=8, loc="lower right", title="area under the curve", title_fontsize=8)
    return figure
