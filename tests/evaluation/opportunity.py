"""How often a node had the chance to be heard relaying a multi-byte flood, worked out from the true links.

A hop of a flood is told by its hash and by the true links: it must be a relay that hears the hop before it. Where that
leaves one node, the step from the one to the other is sure. Of the 1-byte floods that passed a neighbour, the node was
heard to relay a certain share right after it, and from there on along nodes that all carry multi-byte floods too, to an
observer that reports them. If the node could, it would be heard to relay the same share of the multi-byte floods that
passed the same neighbour; the sum over its neighbours is its opportunity. Behind a node that drops them nothing is ever
heard, which says nothing of those before it. A node that was upgraded meanwhile has opportunities only since.
"""
import collections

from receptions import hops_of
from support.frames import TRACE

MIN_LINK = 0.02  # links that get fewer frames through carry no steps that count


def _sure_hops(path_hops, origin, by_prefix, hears):
    """The node at each hop, or None where the links leave several; the origin, when it is known, comes first."""
    before = {origin} if origin else None
    sure = [origin]
    for hop in path_hops:
        here = by_prefix.get(hop, ())
        if before is not None:
            here = [key for key in here if any(hears[key].get(other, 0) >= MIN_LINK for other in before)]
        before = set(here) or None
        sure.append(here[0] if len(here) == 1 else None)
    return sure


def _heard_steps(sure, observer, carries):
    """The sure steps of a reception that would have been heard along the same way with a larger hash."""
    if observer not in carries:
        return
    for at in range(len(sure) - 1, 0, -1):
        if sure[at] and sure[at - 1]:
            yield sure[at - 1], sure[at]
        if sure[at] not in carries:
            return


def opportunities(transmissions, truth):
    """For each node that relays: how many multi-byte floods it would be heard to relay if it could."""
    by_prefix = collections.defaultdict(list)
    for key, node in truth.nodes.items():
        if node.relays:
            for size in (1, 2, 3):
                by_prefix[bytes.fromhex(key)[:size]].append(key)
    start = truth.summary["first_received_at"]
    late = {key: node.capable_since for key, node in truth.nodes.items()
            if node.capable_since and node.capable_since > start}
    carries = {key for key, node in truth.nodes.items() if node.capable and key not in late}
    passed, steps = collections.Counter(), collections.Counter()  # of 1-byte floods: by node, by (node, next)
    # Of multi-byte floods: by node, and by (node, node that was upgraded) since the upgrade.
    chances, passed_since = collections.Counter(), collections.Counter()
    for transmission in transmissions:
        if transmission.first.type == TRACE:
            continue
        origin = transmission.origin if transmission.origin in truth.nodes else None
        through, taken, multibyte = set(), set(), False
        for size, path, observer in transmission.floods:
            multibyte = size >= 2
            sure = _sure_hops(hops_of(size, path), origin, by_prefix, truth.hears)
            through.update(key for key in sure if key)
            taken.update(_heard_steps(sure, observer, carries))
        if multibyte:
            chances.update(through)
            for key, since in late.items():
                if transmission.received_at >= since:
                    passed_since.update((other, key) for other in truth.hears[key] if other in through)
        else:
            passed.update(through)
            steps.update(taken)
    expected = {key: 0.0 for key, node in truth.nodes.items() if node.relays}
    for (neighbour, key), count in steps.items():
        if key in expected:
            floods = passed_since[neighbour, key] if key in late else chances[neighbour]
            expected[key] += floods * count / passed[neighbour]
    return expected
