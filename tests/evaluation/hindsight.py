"""The best Brier score that one could hope for: a bar below it asks for what the packets do not say.

Nodes that were heard to use or to relay multi-byte are known for certain. All others are told apart only by their mesh, by
whether they relay, and by their opportunity; whoever knew the true share of the capable in each such group, and nothing
more, would score this.
"""
import bisect

_OPPORTUNITIES = (0.1, 0.3, 0.7, 1.5, 3, 6)


def squares_at_best(nodes, label_of, opportunity_of):
    """The sum of squares over the nodes of one mesh. `label_of` is the baseline's label: confirmed means that the node uses
    multi-byte itself."""
    groups = {}
    for node in nodes:
        if label_of[node.key] == "confirmed" or node.relayed_heard > 0:
            continue
        group = (node.relays, bisect.bisect(_OPPORTUNITIES, opportunity_of.get(node.key, 0)))
        count, capable = groups.get(group, (0, 0))
        groups[group] = (count + 1, capable + node.capable)
    return sum(capable * (count - capable) / count for count, capable in groups.values())
