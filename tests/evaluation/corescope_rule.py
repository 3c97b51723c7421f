"""The rule that CoreScope labels nodes by, rebuilt from what it is known to do; the baseline.

Confirmed: an advert of the node says size >= 2 (adverts sent directly over no hop are skipped). Otherwise suspected: the
node's prefix stands in the path of any transmission whose first frame says size >= 2. Of each transmission only the
observation with the longest path is looked at, floods and direct packets alike, nodes of any role; PATH packets are left
out where TRACE is meant; and of a TRACE the hops are those of its route. Otherwise unknown. A capture within seven days is
all in its window.
"""
from receptions import hops_of
from support.frames import ADVERT, TRACE, TRANSPORT_FLOOD, FLOOD

PATH = 8
LABELS = ("confirmed", "suspected", "unknown")
TRACE_HEAD = 9  # tag, authentication code and flags, before the route


def _indexed_hops(frame):
    if frame.type != TRACE:
        return hops_of(frame.hash_size, frame.path)
    if len(frame.payload) < TRACE_HEAD:
        return []
    return hops_of(1 << (frame.payload[TRACE_HEAD - 1] & 3), frame.payload[TRACE_HEAD:])


def labels(transmissions, keys):
    """The label of each node of `keys` (hex)."""
    largest_advert, multibyte_hops = {}, set()
    for transmission in transmissions:
        first = transmission.first
        is_flood = first.route in (TRANSPORT_FLOOD, FLOOD)
        if first.type == ADVERT and (is_flood or first.hops):
            key = transmission.origin
            largest_advert[key] = max(largest_advert.get(key, 0), first.hash_size)
        if first.hash_size >= 2 and first.type != PATH:
            multibyte_hops.update(hop.hex() for hop in _indexed_hops(transmission.longest))
    found = {}
    for key in keys:
        if largest_advert.get(key, 0) >= 2:
            found[key] = "confirmed"
        elif any(key[:2 * size] in multibyte_hops for size in (1, 2, 3)):
            found[key] = "suspected"
        else:
            found[key] = "unknown"
    return found
