"""What meshsim says of a mesh: the truth that answers are held against."""
import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class TrueNode:
    key: str
    role: str
    region: str
    relays: bool
    observer: bool
    advertised: bool         # one of its adverts is in the capture
    capable: bool            # has firmware that forwards multi-byte floods, at the end
    capable_since: str | None
    relayed_heard: int       # observed receptions of multi-byte floods that it stands in


class Truth:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        self.document = document
        self.summary = document["summary"]
        order = document["nodes"]
        self.nodes = {node["public_key"]: TrueNode(
            node["public_key"], node["role"], node["region"], node["relays"], node["observer"], node["advertised"],
            node["firmware_multibyte"], node["firmware_multibyte_since"], node["relayed_multibyte_heard"])
            for node in order}
        self.hears = {node["public_key"]: {} for node in order}
        """For each node, whom it hears and how often (the probability that a frame gets through)."""
        for link in document["links"]:
            a, b = order[link["a"]]["public_key"], order[link["b"]]["public_key"]
            self.hears[b][a], self.hears[a][b] = link["p_ab"], link["p_ba"]
