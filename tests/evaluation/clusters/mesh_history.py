"""What the programs say of a simulated mesh while it lives, step by step, beside the truth about its communities."""
import bisect
import contextlib
import datetime
import json
import pathlib
import sqlite3
import tempfile

from observatory import Volume

MAX_AGE_MS = 5 * 86_400_000  # of an edge, as configured by default
FIRM_COUNT = 3  # floods that make an edge certain; as NeighborView::kFirmCount
EVENTS = {"community_splits": "split", "community_merges": "merge",
          "community_founded": "birth", "community_abandoned": "death"}
_SETTLED = {"split": ("split", "shed"), "merge": ("merge", "absorb"), "birth": ("birth",), "death": ("end",)}


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Communities:
    """Who belongs to which community at a moment. The repeaters on ridges between regions belong to none."""

    def __init__(self, truth):
        self._changes = {}  # key -> [(time, community or None)], ascending
        for node in truth["nodes"]:
            community = None if node["community"].endswith(" Ridge") else node["community"]
            self._changes[node["public_key"]] = [(milliseconds(node["appeared_at"]) if node["appeared_at"] else 0, community)]
        for event in truth["events"]:
            if event["kind"] == "moves":
                lived = self._changes[event["node"]]
                if len(lived) == 1:
                    lived[0] = (lived[0][0], event["from_community"])
                lived.append((milliseconds(event["time"]), event["community"]))
        for node in truth["nodes"]:
            if node["died_at"]:
                self._changes[node["public_key"]].append((milliseconds(node["died_at"]), None))

    def at(self, time):
        """{key: community} of all who are alive."""
        members = {}
        for key, lived in self._changes.items():
            place = bisect.bisect_right([since for since, _ in lived], time) - 1
            if place >= 0 and lived[place][1] is not None:
                members[key] = lived[place][1]
        return members


def planted_events(truth):
    for event in truth["events"]:
        if event["kind"] in EVENTS:
            yield {"kind": EVENTS[event["kind"]], "time": milliseconds(event["time"]),
                   "from": event["from_community"], "to": event["community"]}


def line_times(capture):
    """(times, offsets) of the lines of a capture."""
    times, offsets, at = [], [], 0
    with open(capture, "rb") as lines:
        for line in lines:
            times.append(milliseconds(line[16:40].decode()))
            offsets.append(at)
            at += len(line)
    return times, offsets + [at]


class MeshRecorder:
    """Takes a capture through the real programs, with one analytics cycle after every `hours` of it."""

    def __init__(self, programs, hours, config=None):
        self._programs, self._hours, self._config = pathlib.Path(programs).resolve(), hours, config or {}

    def record(self, capture, truth, scratch):
        """The history as cluster_replay reads it."""
        communities = Communities(truth)
        times, offsets = line_times(capture)
        period = round(self._hours * 3_600_000)
        history = {"hours": self._hours, "steps": [], "events": list(planted_events(truth)), "reported": []}
        with tempfile.TemporaryDirectory(prefix="volume-", dir=scratch) as folder:
            volume = Volume(self._programs, pathlib.Path(folder), self._config)
            begin = 0
            for end_time in range(times[0] + period, times[-1] + 1, period):
                end = bisect.bisect_left(times, end_time)
                with open(capture, "rb") as lines:
                    lines.seek(offsets[begin])
                    volume.ingest_bytes(lines.read(offsets[end] - offsets[begin]))
                begin = end
                volume.cycle()
                with volume.database() as reader:
                    step = _step(reader)
                if step is not None:
                    step |= {"time": end_time, "truth": communities.at(end_time)}
                    history["steps"].append(step)
            with volume.database() as reader:
                history["reported"] = list(_reported(reader))
        history["seconds"] = volume.seconds
        if history["steps"]:
            history["links"] = true_links(truth)
            history["neighbors"] = neighbor_figures(truth, history["steps"][-1])
        return history


def true_links(truth):
    """[key, key, probability] of who can hear whom at the end."""
    keys = [node["public_key"] for node in truth["nodes"]]
    return [[*sorted((keys[link["a"]], keys[link["b"]])), max(link["p_ab"], link["p_ba"])] for link in truth["links"]]


def neighbor_figures(truth, step):
    """How many of the edges of the last step are links, and how many links have an edge, as counts. Of what is named, the ends
    that died or moved lately are left out: their links of before are still shown. Of what is to be found, links that more
    frames get through than not, with a relay or an observer at one end and both ends on the air and heard."""
    since = step["time"] - MAX_AGE_MS
    gone = {event["node"] for event in truth["events"]
            if event["kind"] in ("moves", "dies") and milliseconds(event["time"]) >= since}
    nodes = {node["public_key"]: node for node in truth["nodes"]}
    links = {(a, b): probability for a, b, probability in true_links(truth)}
    keys, edges = step["neighbors"]["nodes"], step["neighbors"]["edges"]
    named = {(keys[a], keys[b]): forth + back for a, b, forth, back, *_ in edges
             if keys[a] not in gone and keys[b] not in gone}
    firm = {pair for pair, count in named.items() if count >= FIRM_COUNT}
    listens = lambda key: nodes[key]["relays"] or nodes[key]["observer"]
    heard = lambda key: nodes[key]["up"] and nodes[key]["advertised"]
    wanted = {(a, b) for (a, b), probability in links.items()
              if probability >= 0.5 and heard(a) and heard(b) and (listens(a) or listens(b))}
    return {"named": len(named), "right": len(named.keys() & links.keys()),
            "firm": len(firm), "firm_right": len(firm & links.keys()),
            "wanted": len(wanted), "found": len(wanted & named.keys())}


def _step(reader):
    """The neighbors and the clusters of the active run; None before the first."""
    run = reader.execute("SELECT active_run, data_time FROM cluster_state JOIN cluster_runs ON run_id = active_run"
                         " WHERE cluster_state.collection = 'mesh'").fetchone()
    if run is None:
        return None
    keys = dict(reader.execute("SELECT key, lower(hex(public_key)) FROM identity"))
    members = reader.execute("SELECT member_key, track_key FROM cluster_members LEFT JOIN cluster_snapshots"
                             " USING(run_id, ordinal) WHERE run_id = ?", (run[0],)).fetchall()
    edges = sorted((keys[a], keys[b], *rest) for a, b, *rest in reader.execute(
        "SELECT node_a, node_b, a_to_b, b_to_a, first_seen, last_seen, observers, snr_db FROM neighbor_edges"))
    nodes = sorted({key for edge in edges for key in edge[:2]})
    place = {key: index for index, key in enumerate(nodes)}
    return {"run": run[0], "data_time": run[1], "tracks": {keys[member]: track for member, track in members},
            "neighbors": {"nodes": nodes, "edges": [[place[a], place[b], *rest] for a, b, *rest in edges]}}


def _reported(reader):
    """The events that the programs report as certain: kind, the run that confirmed it, and the tracks on both sides."""
    runs = [seq for seq, in reader.execute("SELECT commit_seq FROM cluster_runs ORDER BY commit_seq")]
    numbers = [run for run, in reader.execute("SELECT run_id FROM cluster_runs ORDER BY commit_seq")]
    others = {}
    for decision, track in reader.execute("SELECT decision_id, track_key FROM cluster_decision_tracks"):
        others.setdefault(decision, set()).add(track)
    for kind, classes in _SETTLED.items():
        outcome = {"split": "new", "merge": "dissolved", "birth": "new", "death": "dissolved"}[kind]
        rows = reader.execute(
            "SELECT decision_id, track_key, from_seq FROM cluster_merge_decisions JOIN cluster_decision_states"
            f" USING(decision_id) WHERE state = 'confirmed' AND outcome = ? AND class IN ({','.join('?' * len(classes))})",
            (outcome, *classes)).fetchall()
        for decision, track, seq in rows:
            run = numbers[bisect.bisect_right(runs, seq) - 1]
            other = sorted(others.get(decision, ()))
            sides = {"split": (other, [track]), "merge": ([track], other), "birth": ([], [track]), "death": ([track], [])}
            if kind in ("split", "merge") and not other:
                continue
            yield {"kind": kind, "run": run, "sources": sides[kind][0], "results": sides[kind][1]}
