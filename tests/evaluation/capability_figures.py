"""The figures of recall, calibration and likely legacy, over any set of cases."""
from detection import SURE
from figures import CLAIMED, Bar, Figure
from measurement import MIN_OPPORTUNITY, SOME_OPPORTUNITY, count, pooled, total
from ranking import area_under_curve
from resampling import interval


def detection_figures(cases, bars=CLAIMED):
    part = "found capable"

    def row(what, population, side, baseline, bar, note=""):
        figure = lambda chosen: getattr(total(chosen, "detection", population), side)
        return Figure(part, what, figure(cases), interval(cases, figure), getattr(total(cases, "detection", baseline), side),
                      bar, note)

    everyone = total(cases, "detection", "all")
    hard = total(cases, "detection", "without advert proof")
    labels = total(cases, "detection", "baseline confirmed")
    return [
        row("recall", "all", "recall", "baseline suspected too", Bar(">=", bars.recall),
            f"{everyone.found} of {everyone.wanted} capable nodes heard relaying; confirmed, or suspected with >= {SURE}"),
        row("precision", "all", "precision", "baseline suspected too", Bar(">=", bars.precision),
            f"{everyone.right} of {everyone.named} nodes named; the baseline's label confirmed alone: recall "
            f"{labels.recall or 0:.3f}, precision {labels.precision or 0:.3f}"),
        row("recall without advert proof", "without advert proof", "recall", "baseline without advert proof",
            Bar(">=", bars.recall), f"{hard.found} of {hard.wanted} nodes that no advert of their own proves"),
        row("precision without advert proof", "without advert proof", "precision", "baseline without advert proof",
            Bar(">=", bars.precision), f"{hard.right} of {hard.named} nodes named for what was relayed alone"),
        row("recall, also of nodes never named", "all, also without an advert", "recall", "baseline suspected too", None,
            "nodes none of whose adverts was heard have no key that could be named"),
    ]


def calibration_figures(cases, bars=CLAIMED):
    figures = []
    for population in ("all heard", "relays"):
        model = lambda chosen, name=population: total(chosen, "calibration", (name, "model"))
        baseline = total(cases, "calibration", (population, "baseline"))
        silent, missing = count(cases, f"{population}: no probability"), count(cases, f"{population}: not listed")
        note = f"{model(cases).nodes} nodes" + (f", {silent} without a probability, taken as 0.5" if silent else "") + (
            f", {missing} not listed" if missing else "")
        error = lambda chosen, of=model: of(chosen).expected_error
        figures.append(Figure("calibration", f"expected error, {population}", error(cases), interval(cases, error),
                              baseline.expected_error, Bar("<=", bars.error), note))
        bias = lambda chosen, of=model: of(chosen).bias
        figures.append(Figure("calibration", f"stated less true, {population}", bias(cases), interval(cases, bias),
                              baseline.bias, None, "the mean over nodes; above 0 is too sure that they can"))
        brier = lambda chosen, of=model: of(chosen).brier
        most = None if baseline.brier is None else Bar("<=", baseline.brier * bars.brier_share)
        figures.append(Figure("calibration", f"Brier score, {population}", brier(cases), interval(cases, brier),
                              baseline.brier, most, f"the bar is {bars.brier_share:g} x the baseline's; with hindsight "
                              f"{_share(count(cases, f'{population}: squares at best'), model(cases).nodes) or 0:.4f}"))
    return figures


def legacy_figures(cases, bars=CLAIMED):
    area_bar = bars.at_least(bars.area)

    def row(what, population, bar, note=""):
        figure = lambda chosen: area_under_curve(pooled(chosen, population))
        pairs = pooled(cases, population)
        legacy = sum(is_legacy for _, is_legacy in pairs)
        return Figure("likely legacy", what, figure(cases), interval(cases, figure, draws=100), None, bar,
                      f"{legacy} legacy, {len(pairs) - legacy} capable; {note}")

    flagged, wrong = count(cases, "flagged"), count(cases, "flagged though capable")
    chance = f"would be heard to relay at least {MIN_OPPORTUNITY:g} multi-byte flood, if it could"
    rows = [
        row("area under curve, with an opportunity", "with an opportunity", area_bar, chance),
        row("area under curve, not confirmed", "with some opportunity, not confirmed", area_bar,
            f"relays that are not confirmed, with an opportunity of at least {SOME_OPPORTUNITY:g}"),
        row("area under curve, without opportunity", "without, not confirmed", None,
            "all others that are not confirmed; nothing to learn from silence"),
    ]
    if pooled(cases, "with an opportunity by the API, not confirmed"):
        rows.append(row("area under curve, the API's opportunity", "with an opportunity by the API, not confirmed", None,
                        "not confirmed, and the API states an opportunity above 0"))
    return rows + [
        Figure("likely legacy", "statuses lowered", count(cases, "status lowered"), bar=Bar("<=", 0),
               note="from half of the capture to all of it; "
                    f"{count(cases, 'status lowered and flagged')} of them likely legacy"),
        Figure("likely legacy", "flagged", flagged,
               note=f"{wrong} of them really capable, {count(cases, 'flagged though confirmed')} confirmed"),
        Figure("likely legacy", "flagged, of legacy with an opportunity",
               _share(count(cases, "flagged of these"), count(cases, "legacy with an opportunity"))),
    ]


def _share(part, whole):
    return part / whole if whole else None


def case_cells(measurement):
    """The row of one case: what to look at when a figure misses."""
    m = [measurement]
    every, hard = total(m, "detection", "all"), total(m, "detection", "without advert proof")
    model, baseline = (total(m, "calibration", ("relays", rule)) for rule in ("model", "baseline"))
    area = area_under_curve(pooled(m, "with some opportunity, not confirmed"))
    text = lambda value: "–" if value is None else f"{value:.3f}"
    return (measurement.case.name, text(every.recall), text(every.precision), f"{hard.found}/{hard.wanted}",
            f"{hard.right}/{hard.named}", text(model.expected_error), text(model.brier), text(baseline.brier), text(area),
            f"{count(m, 'flagged though capable')}/{count(m, 'flagged')}", str(count(m, "status lowered")),
            f"{sum(measurement.seconds.values()):.0f} s")


CASE_COLUMNS = ("case", "recall", "precision", "found/wanted", "right/named", "error", "Brier", "baseline's", "area",
                "wrongly flagged", "lowered", "programs")
GROUP_COLUMNS = ("group", "cases", "recall", "precision", "without advert", "precision", "error", "Brier", "baseline's",
                 "area")


def group_rows(cases):
    """The same figures for each kind of mesh."""
    groups = {}
    for measurement in cases:
        for group in measurement.case.groups:
            groups.setdefault(group, []).append(measurement)
    text = lambda value: "–" if value is None else f"{value:.3f}"
    for group, members in groups.items():
        every, hard = total(members, "detection", "all"), total(members, "detection", "without advert proof")
        model, baseline = (total(members, "calibration", ("relays", rule)) for rule in ("model", "baseline"))
        area = area_under_curve(pooled(members, "with some opportunity, not confirmed"))
        yield (group, str(len(members)), *map(text, (every.recall, every.precision, hard.recall, hard.precision,
                                                     model.expected_error, model.brier, baseline.brier, area)))
