"""One case, measured: the real programs on its capture, held against its truth."""
import dataclasses

from calibration import Calibration, calibrate
from detection import Detection, detect, says_capable
from hindsight import squares_at_best
from switch_readiness import Blockers, first_blockers, forecasts

NO_ANSWER = 0.5  # stands for a probability that is not given
SOME_OPPORTUNITY = 0.1
MIN_OPPORTUNITY = 1.0  # multi-byte floods that a node would be heard to relay, if it could


@dataclasses.dataclass
class Measurement:
    """The figures of a case, as sums that can be added to those of others."""
    case: object
    detection: dict = dataclasses.field(default_factory=dict)    # name of a population and rule -> Detection
    calibration: dict = dataclasses.field(default_factory=dict)  # (population, rule) -> Calibration
    legacy: dict = dataclasses.field(default_factory=dict)       # population -> [(score, is legacy)]
    counts: dict = dataclasses.field(default_factory=dict)
    readiness: list = dataclasses.field(default_factory=list)    # of Forecast
    blockers: Blockers | None = None
    seconds: dict = dataclasses.field(default_factory=dict)
    failure: str | None = None


def probability_of(entry):
    value = entry["probability"]
    return NO_ANSWER if value is None else value


def measure_capability(case, truth, reading, answers, constants):
    """Metrics 1 to 3 of a case. `constants` are the probabilities of the baseline's labels, for each population."""
    result = Measurement(case)
    nodes = answers.nodes
    _detection(result, truth, reading, nodes)
    _calibration(result, truth, reading, nodes, constants)
    _legacy(result, truth, reading, nodes, answers.halfway)
    result.seconds = answers.seconds
    return result


def _detection(result, truth, reading, nodes):
    everyone = list(truth.nodes.values())
    advertised = [node for node in everyone if node.advertised]
    proved = {key for key, entry in nodes.items() if entry["evidence"] == "advert"}
    by_relaying = [node for node in advertised if node.key not in proved]
    named = {key for key, entry in nodes.items() if says_capable(entry)}
    baseline_proved = {key for key, label in reading.labels.items() if label == "confirmed"}
    baseline_named = {key for key, label in reading.labels.items() if label != "unknown"}
    result.detection = {
        "all": detect(advertised, named),
        "all, also without an advert": detect(everyone, named),
        "without advert proof": detect(by_relaying, named),
        "baseline confirmed": detect(advertised, baseline_proved),
        "baseline suspected too": detect(advertised, baseline_named),
        "baseline without advert proof": detect(
            [node for node in advertised if node.key not in baseline_proved], baseline_named - baseline_proved),
    }


def populations(truth):
    """The populations that calibration is measured over: nodes whose advert was heard, and of these the relays."""
    heard = [node for node in truth.nodes.values() if node.advertised]
    return {"all heard": heard, "relays": [node for node in heard if node.relays]}


def _calibration(result, truth, reading, nodes, constants):
    for name, population in populations(truth).items():
        listed = [node for node in population if node.key in nodes]
        result.calibration[name, "model"] = calibrate(
            (probability_of(nodes[node.key]), node.capable) for node in listed)
        result.calibration[name, "baseline"] = calibrate(
            (constants[name].get(reading.labels[node.key], NO_ANSWER), node.capable) for node in listed)
        result.counts[f"{name}: squares at best"] = squares_at_best(listed, reading.labels, reading.opportunity)
        result.counts[f"{name}: nodes"] = len(population)
        result.counts[f"{name}: not listed"] = len(population) - len(listed)
        result.counts[f"{name}: no probability"] = sum(nodes[node.key]["probability"] is None for node in listed)


def _legacy(result, truth, reading, nodes, halfway):
    chance = lambda node, least=MIN_OPPORTUNITY: reading.opportunity.get(node.key, 0) >= least
    relays = [node for node in truth.nodes.values() if node.relays and node.key in nodes]
    score = lambda node: (1 - probability_of(nodes[node.key]), not node.capable)
    with_chance = [node for node in relays if chance(node)]
    unproved = lambda list_: [node for node in list_ if nodes[node.key]["status"] != "confirmed"]
    result.legacy = {
        "with an opportunity": [score(node) for node in with_chance],
        "with some opportunity, not confirmed": [score(node) for node in unproved(relays) if chance(node, SOME_OPPORTUNITY)],
        "without, not confirmed": [score(node) for node in unproved(relays) if not chance(node, SOME_OPPORTUNITY)],
    }
    own = [node for node in relays if (nodes[node.key].get("opportunity") or 0) > 0]
    if own:
        result.legacy["with an opportunity by the API, not confirmed"] = [score(node) for node in unproved(own)]
    rank = ("unknown", "suspected", "confirmed").index
    flagged = {key for key, entry in nodes.items() if entry["likely_legacy"]}
    lowered = {key for key, status in halfway.items()
               if key in nodes and rank(nodes[key]["status"]) < rank(status)}
    result.counts |= {
        "flagged": len(flagged),
        "flagged though capable": sum(truth.nodes[key].capable for key in flagged if key in truth.nodes),
        "flagged though confirmed": sum(nodes[key]["status"] == "confirmed" for key in flagged),
        "legacy with an opportunity": sum(not node.capable for node in with_chance),
        "flagged of these": sum(not node.capable and node.key in flagged for node in with_chance),
        "status lowered": len(lowered),
        "status lowered and flagged": len(lowered & flagged),
    }


def measure_readiness(result, truth, document, share_after):
    """Metric 4 of a case. `share_after(keys)` is the surviving share of deliveries to nodes, with 2 bytes, when the nodes of
    these keys were upgraded before."""
    switch = truth.document["switch"]
    result.readiness = forecasts(switch, document)
    before = switch["sizes"]["2"]["node_share"]
    if before is not None and switch["best_upgrades"]:
        named = first_blockers(document)
        result.blockers = Blockers(before, share_after(named) if named else before,
                                   switch["best_upgrades"][-1]["node_share"])


def total(measurements, table, key):
    """The sum of one figure over cases."""
    zero = {"detection": Detection(), "calibration": Calibration()}[table]
    return sum((getattr(m, table)[key] for m in measurements if key in getattr(m, table)), zero)


def count(measurements, key):
    return sum(m.counts.get(key, 0) for m in measurements)


def pooled(measurements, key):
    return [pair for m in measurements for pair in m.legacy.get(key, ())]
