"""What is forecast of a switch, held against the switch itself on the same mesh."""
import dataclasses

SIZES = {"2": "two_bytes", "3": "three_bytes"}
SHARES = ("observer_share", "node_share")
BLOCKERS = 5
WORTH = 0.01
KNOWN = 0.5  # of the relayed traffic went through nodes with evidence or an opportunity


@dataclasses.dataclass(frozen=True)
class Forecast:
    """One stated share with its interval, and the true share. `share` is None when the API states none."""
    region: str | None  # None: the whole mesh
    size: str
    kind: str           # of SHARES
    true: float
    share: float | None
    low: float | None
    high: float | None
    known: float        # share of the relayed traffic that is known about

    @property
    def covers(self):
        return self.share is not None and self.low <= self.true <= self.high

    @property
    def error(self):
        return abs(self.share - self.true)

    @property
    def width(self):
        return self.high - self.low


@dataclasses.dataclass(frozen=True)
class Blockers:
    """The surviving share of deliveries to nodes: today's, after the named upgrades, and after the best that a search among
    the busiest relays found, one after the other. When the named ones win back more, they are the best that is known."""
    before: float
    named: float
    searched: float

    @property
    def gain(self):
        return self.named - self.before

    @property
    def best_gain(self):
        return max(self.searched, self.named) - self.before


def scopes(document):
    """The figures of each scope of the API's document by region; None is the whole mesh."""
    return {scope["region"]: scope for scope in document["scopes"]}


def forecasts(truth_switch, document):
    """A Forecast for each share that the truth knows: whole mesh and regions, both sizes, observers and nodes."""
    stated, found = scopes(document), []
    for size, name in SIZES.items():
        true_scopes = {None: truth_switch["sizes"][size], **truth_switch["sizes"][size]["regions"]}
        for region, true in true_scopes.items():
            scope = stated.get(region)
            for kind in SHARES:
                if true[kind] is None:
                    continue
                estimate = (scope and scope[name][kind]) or {"share": None, "low": None, "high": None}
                known = scope["knowledge"]["share_of_relayed_traffic_with_evidence"] if scope else 0
                found.append(Forecast(region, size, kind, true[kind], estimate["share"], estimate["low"], estimate["high"],
                                      known))
    return found


def first_blockers(document):
    """The keys of the repeaters that are said to win back most."""
    whole = scopes(document).get(None)
    return [blocker["public_key"] for blocker in whole["two_bytes"]["blockers"][:BLOCKERS]] if whole else []


def coverage(of):
    """The share of the forecasts whose interval holds the truth; one that is not stated does not. None of none."""
    return sum(forecast.covers for forecast in of) / len(of) if of else None


def bias(of):
    """How much more is forecast than survives, on average."""
    stated = [forecast.share - forecast.true for forecast in of if forecast.share is not None]
    return sum(stated) / len(stated) if stated else None


def median_error(of):
    errors = sorted(forecast.error for forecast in of if forecast.share is not None)
    if not errors:
        return None
    return (errors[(len(errors) - 1) // 2] + errors[len(errors) // 2]) / 2


def worth_upgrading(of):
    """The meshes where upgrades win something back. Elsewhere there is nothing to be found: an upgraded node sends
    multi-byte itself, which costs more than it wins while those around it are legacy."""
    return [blockers for blockers in of if blockers.best_gain >= WORTH]


def won_back(of):
    """What the named upgrades win back of what the best would, summed over meshes; None when there is nothing to win."""
    of = worth_upgrading(of)
    best = sum(blockers.best_gain for blockers in of)
    return sum(blockers.gain for blockers in of) / best if best else None
