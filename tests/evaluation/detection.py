"""Who is found to be capable: recall and precision."""
import dataclasses

SURE = 0.9  # a suspicion with this probability counts as found


@dataclasses.dataclass(frozen=True)
class Detection:
    """Counts of one case, or sums of several."""
    found: int = 0    # wanted nodes that are found
    wanted: int = 0
    named: int = 0    # nodes that are said to be capable
    right: int = 0    # of these, those that are

    def __add__(self, other):
        return Detection(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other))))

    @property
    def recall(self):
        return self.found / self.wanted if self.wanted else None

    @property
    def precision(self):
        return self.right / self.named if self.named else None


def says_capable(answer):
    """True when the API's entry of a node says that it is capable."""
    return answer["status"] == "confirmed" or answer["status"] == "suspected" and (answer["probability"] or 0) >= SURE


def detect(truth_nodes, named_keys):
    """Wanted are the nodes that are really capable and were heard relaying a multi-byte flood; right is each named node that
    is really capable, whatever it was heard doing: that is all the claim says. Both over `truth_nodes`."""
    named_keys = set(named_keys)
    wanted = {node.key for node in truth_nodes if node.capable and node.relayed_heard > 0}
    named = [node for node in truth_nodes if node.key in named_keys]
    return Detection(len(wanted & named_keys), len(wanted), len(named), sum(node.capable for node in named))
