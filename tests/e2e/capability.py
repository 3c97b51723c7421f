#!/usr/bin/env python3
"""What packets prove of a node, through the whole pair: crafted cases with the answer beside each, random meshes against
the rules in support/capture.py, and a simulated mesh against its truth: capability.py [FOLDER_OF_THE_PROGRAMS].
"""
import collections
import hashlib
import json
import os
import random
import subprocess
import sys

from support.capture import Capture
from support.frames import (ADVERT, DIRECT, FLOOD, GROUP_TEXT, TEXT, TRACE, TRANSPORT_DIRECT, TRANSPORT_FLOOD, frame,
                            packet_line)
from support.observatory import Observatory
from support.programs import main, programs_folder

STATUSES = ("unknown", "suspected", "confirmed")
COMPANION, REPEATER, ROOM, SENSOR = 1, 2, 3, 4
MESHSIM = "meshsim"


class Pair(Observatory):
    """Nodes here have keys of the test's choice, so signatures are not validated unless a test says so."""

    def setUp(self):
        super().setUp()
        self.write_config({"validateSignatures": False})

    def analyse(self):
        self.expect(0, "server", "analyze")
        self.expect(0, "ingestor", "apply")

    def stored(self):
        return {bytes.fromhex(key): (STATUSES[status], evidence) for key, status, evidence in self.rows(
            "SELECT public_key, multibyte_sup, multibyte_evidence FROM nodes UNION ALL"
            " SELECT public_key, multibyte_sup, multibyte_evidence FROM inactive_nodes")}

    def served(self):
        server, client = self.start_server()
        nodes = client.all("/api/multibyte", "nodes")
        self.stop(server)
        return {bytes.fromhex(node["public_key"]): (node["status"], node["evidence"]) for node in nodes}

    def expect_verdicts(self, expected):
        self.analyse()
        self.assertEqual(self.stored(), expected)
        self.assertEqual(self.served(), expected)
        self.expect_whole()


class Scene:
    """Packets of one crafted case. Keys begin with the case's own two bytes, so that cases do not meet."""

    count = 0

    def __init__(self):
        Scene.count += 1
        self.prefix = hashlib.sha256(b"scene %d" % Scene.count).digest()[:2]
        self.lines, self._packets = [], 0

    def key(self, tail=b"", prefix=None):
        return ((prefix or self.prefix) + tail).ljust(32, b"\x01")

    def advert(self, key, role=REPEATER, hash_size=1, hops=0, route=FLOOD, stamp=None):
        self._packets += 1
        payload = key + (stamp or 1000 + self._packets).to_bytes(4, "little") + bytes(64) + bytes([role])
        path = bytes(range(1, hash_size * hops + 1))
        self.lines.append(packet_line(frame(route, ADVERT, payload, path, hash_size)))
        return self

    def relayed(self, path, hash_size=2, route=FLOOD, kind=TEXT, payload=None):
        self._packets += 1
        payload = payload or hashlib.sha256(self.prefix + b"%d" % self._packets).digest()[:20]
        self.lines.append(packet_line(frame(route, kind, payload, path, hash_size)))
        return self


class CraftedCases(Pair):
    def cases(self):
        """(what, scene, {key: verdict})"""
        advert, relay, path, unknown = ("confirmed", "advert"), ("confirmed", "relay"), ("suspected", "path"), ("unknown", None)
        def case(what, build, **verdicts):
            scene = Scene()
            a, b = scene.key(b"\xaa"), scene.key(b"\xbb")
            build(scene, a, b)
            keys = {"a": a, "b": b}
            return what, scene, {keys[name]: verdict for name, verdict in verdicts.items()}
        yield case("1-byte adverts prove nothing", lambda s, a, b: s.advert(a).advert(a, hops=3), a=unknown)
        yield case("a 2-byte flood advert confirms", lambda s, a, b: s.advert(a, hash_size=2, hops=2), a=advert)
        yield case("a 3-byte one at 0 hops too", lambda s, a, b: s.advert(a, hash_size=3), a=advert)
        yield case("a lone 2-byte one at 0 hops too", lambda s, a, b: s.advert(a, hash_size=2), a=advert)
        yield case("but not beside 1-byte ones", lambda s, a, b: s.advert(a, hash_size=2).advert(a), a=unknown)
        yield case("two of them do", lambda s, a, b: s.advert(a, hash_size=2).advert(a, hash_size=2).advert(a), a=advert)
        yield case("one after a hop does", lambda s, a, b: s.advert(a, hash_size=2, hops=1).advert(a), a=advert)
        yield case("a 3-byte one at 0 hops does", lambda s, a, b: s.advert(a, hash_size=3).advert(a), a=advert)
        yield case("the same packet after a hop does", lambda s, a, b: s.advert(a, hash_size=2, stamp=7)
                   .advert(a, hash_size=2, hops=1, stamp=7).advert(a), a=advert)
        yield case("by a transport flood too", lambda s, a, b: s.advert(a, hash_size=2, route=TRANSPORT_FLOOD), a=advert)
        yield case("a companion confirms itself too", lambda s, a, b: s.advert(a, COMPANION, 2, 1), a=advert)
        yield case("a direct advert proves nothing", lambda s, a, b: s.advert(a, hash_size=2, hops=2, route=DIRECT), a=unknown)
        yield case("nor one at 0 hops, whatever its bits", lambda s, a, b: s.advert(a, hash_size=2, route=TRANSPORT_DIRECT),
                   a=unknown)
        yield case("a unique 2-byte hop relays", lambda s, a, b: s.advert(a).relayed(a[:2]), a=relay)
        yield case("a unique 3-byte hop relays", lambda s, a, b: s.advert(a).advert(b).relayed(a[:3], 3), a=relay, b=unknown)
        yield case("anywhere in the path", lambda s, a, b: s.advert(a, ROOM).relayed(b"\1\2" + a[:2] + b"\3\4"), a=relay)
        yield case("of a transport flood too", lambda s, a, b: s.advert(a).relayed(a[:2], route=TRANSPORT_FLOOD), a=relay)
        yield case("of a group text too", lambda s, a, b: s.advert(a).relayed(a[:2], kind=GROUP_TEXT), a=relay)
        yield case("a shared hop is a hint for both", lambda s, a, b: s.advert(a).advert(b).relayed(a[:2]), a=path, b=path)
        yield case("also when one is a companion", lambda s, a, b: s.advert(a).advert(b, COMPANION).relayed(a[:2]), a=path, b=path)
        yield case("an advert beats a hint", lambda s, a, b: s.advert(a, hash_size=2, hops=1).advert(b).relayed(a[:2]),
                   a=advert, b=path)
        yield case("a unique hop of a companion is a hint", lambda s, a, b: s.advert(a, COMPANION).relayed(a[:2]), a=path)
        yield case("and of a sensor", lambda s, a, b: s.advert(a, SENSOR).relayed(a[:2]), a=path)
        yield case("a 1-byte path proves nothing", lambda s, a, b: s.advert(a).relayed(a[:1], 1), a=unknown)
        yield case("a direct path is a plan", lambda s, a, b: s.advert(a).relayed(a[:2], route=DIRECT)
                   .relayed(a[:2], route=TRANSPORT_DIRECT), a=unknown)
        yield case("the path of a trace is signal levels", lambda s, a, b: s.advert(a).relayed(a[:2], kind=TRACE)
                   .relayed(a[:2], kind=TRACE, route=DIRECT), a=unknown)
        yield case("hops are cut at their size", lambda s, a, b: s.advert(a).relayed(b"\1" + a[:2] + b"\1"), a=unknown)
        yield case("a hop of another size is another", lambda s, a, b: s.advert(a).relayed(a[:2] + b"\xcc", 3), a=unknown)
        yield case("nobody relays its own advert", lambda s, a, b: s.advert(a).advert(b).relayed(
            a[:2], kind=ADVERT, payload=a + bytes([9, 0, 0, 0]) + bytes(64) + bytes([REPEATER])), a=advert, b=relay)

    def test_each_case_has_the_verdict_beside_it(self):
        cases = list(self.cases())
        self.ingest(line for _, scene, _ in cases for line in scene.lines)
        self.analyse()
        stored, served = self.stored(), self.served()
        for what, _, verdicts in cases:
            for key, verdict in verdicts.items():
                with self.subTest(what):
                    self.assertEqual((stored[key], served[key]), (verdict, verdict))
        self.assertEqual(len(stored), sum(len(verdicts) for _, _, verdicts in cases))
        whole = Capture([line for _, scene, _ in cases for line in scene.lines], validate=False).capability()
        self.assertEqual(whole, stored, "the independent rules agree with every case")


class RandomMeshes(Pair):
    def random_lines(self, seed, count):
        """Packets of nodes whose keys often begin alike, in every form."""
        source = random.Random(seed)
        keys = [bytes([source.randrange(3), source.randrange(4), source.randrange(3)]).ljust(31, b"\x07") + bytes([n])
                for n in range(40)]
        roles = [source.choice((COMPANION, REPEATER, REPEATER, ROOM, SENSOR)) for _ in keys]
        observers = [source.choice(keys).hex().upper() for _ in range(3)] + ["EE" * 32]
        lines = []
        for _ in range(count):
            size = source.choice((1, 1, 2, 2, 3))
            path = b"".join(source.choice(keys)[:size] if source.random() < .7 else source.randbytes(size)
                            for _ in range(source.choice((0, 0, 1, 1, 2))))
            n = source.randrange(len(keys))
            if source.random() < .3:
                kind, payload = ADVERT, keys[n] + source.randrange(1, 30).to_bytes(4, "little") + bytes(64) + bytes([roles[n]])
            else:
                kind, payload = source.choice((TEXT, GROUP_TEXT, TRACE, 8)), source.randbytes(12)
            raw = frame(source.choice((FLOOD, FLOOD, TRANSPORT_FLOOD, DIRECT, TRANSPORT_DIRECT)), kind, payload, path, size)
            lines.append(packet_line(raw, observer=source.choice(observers)))
        return lines

    def test_random_meshes_are_judged_as_the_independent_rules_judge_them(self):
        met = collections.Counter()
        for seed, count in ((1, 40), (2, 120), (3, 400), (4, 1500)):
            with self.subTest(seed=seed):
                self.data = self.path(f"mesh-{seed}")
                os.mkdir(self.data)
                lines = self.random_lines(seed, count)
                expected = Capture(lines, validate=False).capability()
                met.update(expected.values())
                self.ingest(lines)
                self.expect_verdicts(expected)
        print(f"verdicts met: {dict(met)}")
        self.assertEqual(len(met), 4, "every verdict is met")

    def test_what_was_once_proved_stays_although_later_packets_make_it_doubtful(self):
        rank = [("unknown", None), ("suspected", "path"), ("confirmed", "relay"), ("confirmed", "advert")]
        lines = self.random_lines(5, 300)
        proved, doubted = {}, 0
        for upto in (60, 120, 200, 300):
            self.ingest(lines[:upto])
            now = Capture(lines[:upto], validate=False).capability()
            doubted += sum(rank.index(verdict) < rank.index(proved.get(key, rank[0])) for key, verdict in now.items())
            proved = {key: max(verdict, proved.get(key, rank[0]), key=rank.index) for key, verdict in now.items()}
            self.expect_verdicts(proved)
        self.assertGreater(doubted, 0, "some proof became doubtful on the way")


class SimulatedMesh(Pair):
    def test_a_simulated_mesh_is_judged_by_its_packets_and_hardly_ever_against_its_truth(self):
        self.write_config({})
        capture, truth = self.path("capture.jsonl"), self.path("truth.json")
        subprocess.run([os.path.join(programs_folder(), MESHSIM), "--seed", "3", "--nodes", "120", "--messages", "20000",
                        "--out", capture, "--truth", truth], check=True, capture_output=True)
        with open(capture, encoding="utf-8") as file:
            expected = Capture(file, validate=False)
        self.expect(0, "ingestor", "run", "--once", "--capture", capture)
        self.assertEqual(self.counters()["observations"], len(expected.receptions))
        self.assertEqual(self.counters().get("duplicates", 0), expected.duplicates)
        verdicts = expected.capability()
        self.expect_verdicts(verdicts)
        with open(truth, encoding="utf-8") as file:
            capable = {bytes.fromhex(node["public_key"]): node["firmware_multibyte"] for node in json.load(file)["nodes"]}
        wrong = collections.Counter(evidence for key, (status, evidence) in verdicts.items()
                                    if status == "confirmed" and not capable[key])
        print(f"{len(verdicts)} nodes: {dict(collections.Counter(verdicts.values()))}; confirmed wrongly: {dict(wrong)}")
        self.assertEqual(wrong["advert"], 0)
        self.assertLessEqual(wrong["relay"], 2, "a hash of an unheard twin is the one way to be wrong")


if __name__ == "__main__":
    sys.exit(main())
