"""The figures of switch readiness, over any set of cases."""
from figures import CLAIMED, Bar, Figure
from resampling import interval
from switch_readiness import BLOCKERS, KNOWN, bias, coverage, median_error, won_back, worth_upgrading

PART = "readiness"
_WAYS = (
    ("whole mesh", lambda forecast: forecast.region is None),
    ("regions", lambda forecast: forecast.region is not None),
    ("to observers", lambda forecast: forecast.kind == "observer_share"),
    ("to nodes", lambda forecast: forecast.kind == "node_share"),
    ("2 bytes", lambda forecast: forecast.size == "2"),
    ("3 bytes", lambda forecast: forecast.size == "3"),
)


def _chosen(cases, accepts):
    return [forecast for case in cases for forecast in case.readiness if accepts(forecast)]


def _row(cases, what, measure, accepts, bar, note=""):
    figure = lambda members: measure(_chosen(members, accepts))
    return Figure(PART, what, figure(cases), interval(cases, figure), None, bar, note)


def readiness_figures(cases, bars=CLAIMED):
    everything = lambda _: True
    stated = [forecast for forecast in _chosen(cases, everything) if forecast.share is not None]
    span = None if bars.coverage is None else Bar("in", bars.coverage)
    all_of = len(_chosen(cases, everything))
    width = sum(forecast.width for forecast in stated) / max(len(stated), 1)
    rows = [_row(cases, "interval of 80 % holds the truth", coverage, everything, span,
                 f"{all_of} shares, {all_of - len(stated)} not stated; mean width {100 * width:.1f} points")]
    for name, accepts in _WAYS:
        of_way = _chosen(cases, accepts)
        if of_way:
            rows.append(_row(cases, f"interval holds it, {name}", coverage, accepts, span, f"{len(of_way)} shares"))
    known = lambda forecast: forecast.known >= KNOWN
    rows.append(_row(cases, "median error where enough is known", median_error, known, Bar("<=", bars.readiness_error),
                     f"at least half of the relayed traffic: {len(_chosen(cases, known))} shares"))
    rows.append(_row(cases, "median error elsewhere", median_error, lambda forecast: not known(forecast), None,
                     f"{all_of - len(_chosen(cases, known))} shares"))
    rows.append(_row(cases, "forecast less truth", bias, everything, None, "the mean over shares; below 0 is too dark"))
    return rows + _blocker_rows(cases, bars)


def _blocker_rows(cases, bars):
    of = lambda members: [member.blockers for member in members if member.blockers is not None]
    pairs = worth_upgrading(of(cases))
    if not pairs:
        return []
    shares = sorted(pair.gain / pair.best_gain for pair in pairs)
    best = sum(pair.best_gain for pair in pairs) / len(pairs)
    note = (f"{len(pairs)} of {len(of(cases))} meshes, where the best win back {100 * best:.1f} points; in single meshes "
            f"{shares[0]:.2f} to {shares[-1]:.2f}, median {shares[len(shares) // 2]:.2f}")
    figure = lambda members: won_back(of(members))
    return [Figure(PART, f"first {BLOCKERS} blockers, of what the best win back", won_back(pairs), interval(cases, figure),
                   None, bars.at_least(bars.won_back), note)]


CASE_COLUMNS = ("case", "truth, 2 bytes to nodes", "stated", "interval", "truth to observers", "stated", "interval", "held",
                "median error", "known", "blockers")


def case_cells(measurement):
    """The row of one case: the whole mesh with 2 bytes, and how many of all its intervals hold."""
    cells = [measurement.case.name]
    whole = {forecast.kind: forecast for forecast in measurement.readiness
             if forecast.region is None and forecast.size == "2"}
    for kind in ("node_share", "observer_share"):
        forecast = whole.get(kind)
        if forecast is None:
            cells += ["–", "–", "–"]
        elif forecast.share is None:
            cells += [f"{forecast.true:.3f}", "–", "–"]
        else:
            cells += [f"{forecast.true:.3f}", f"{forecast.share:.3f}", f"{forecast.low:.3f}..{forecast.high:.3f}"]
    error, blockers = median_error(measurement.readiness), measurement.blockers
    cells.append(f"{sum(forecast.covers for forecast in measurement.readiness)}/{len(measurement.readiness)}")
    cells.append("–" if error is None else f"{error:.3f}")
    cells.append(f"{max((forecast.known for forecast in whole.values()), default=0):.2f}")
    cells.append("–" if blockers is None else f"{100 * blockers.gain:.1f} of {100 * blockers.best_gain:.1f}")
    return tuple(cells)
