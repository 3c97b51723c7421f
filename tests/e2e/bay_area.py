#!/usr/bin/env python3
"""A day of a real mesh through the whole pair: bay_area.py [FOLDER_OF_THE_PROGRAMS].

The capture is HELIOGRAPH_REAL_CAPTURE, or shared/data/bay-area-capture.jsonl beside the repository; without it the test
is skipped. Every figure is held against a decoder of the test's own.
"""
import collections
import os
import shutil
import sys
import unittest

from support.capture import Capture
from support.frames import TRANSPORT_DIRECT, TRANSPORT_FLOOD
from support.observatory import Observatory
from support.programs import ROOT, eventually, main

CAPTURE = os.environ.get("HELIOGRAPH_REAL_CAPTURE") or os.path.join(
    os.path.dirname(ROOT), "shared", "data", "bay-area-capture.jsonl")
STATUSES = ("unknown", "suspected", "confirmed")


@unittest.skipUnless(os.path.isfile(CAPTURE), f"there is no capture {CAPTURE}; name one in HELIOGRAPH_REAL_CAPTURE")
class BayArea(Observatory):
    @classmethod
    def setUpClass(cls):
        with open(CAPTURE, encoding="utf-8") as file:
            cls.expected = Capture(file)

    def setUp(self):
        super().setUp()
        # The capture is older than the week after which a silent node is moved away; data time makes that no matter.
        self.expect(0, "ingestor", "run", "--once", "--capture", CAPTURE)

    def analyse(self):
        self.assertIn("published", self.expect(0, "server", "analyze"))
        self.expect(0, "ingestor", "apply")

    def verdicts_served(self, client):
        return {bytes.fromhex(node["public_key"]): (node["status"], node["evidence"])
                for node in client.all("/api/multibyte", "nodes")}

    # --- Stored ---

    def test_every_message_is_stored_or_a_duplicate_or_refused_with_its_reason(self):
        expected, counters = self.expected, self.counters()
        print(f"{expected.messages} messages: {len(expected.transmissions)} transmissions, {len(expected.receptions)} "
              f"observations, {expected.duplicates} duplicates, refused {dict(expected.refused)}")
        drops = {name.removeprefix("dropped_"): value for name, value in counters.items() if name.startswith("dropped_")}
        self.assertEqual(drops, dict(expected.refused))
        self.assertEqual(counters.get("transmissions"), len(expected.transmissions))
        self.assertEqual(counters.get("observations"), len(expected.receptions))
        self.assertEqual(counters.get("duplicates", 0), expected.duplicates)
        kept = {reason: count for reason, count in
                self.rows("SELECT reason, count(*) FROM dropped_packets GROUP BY reason")}
        self.assertEqual(kept, dict(expected.refused))

    def test_transmissions_have_the_content_hashes_of_the_independent_decoder(self):
        self.assertEqual({hash for hash, in self.rows("SELECT lower(hex(content_hash)) FROM transmissions")},
                         self.expected.transmissions)

    def test_each_frame_can_be_rebuilt_to_the_byte(self):
        rebuilt = collections.Counter()
        for observer, route, path_len, path, codes, kind, payload in self.rows(
                "SELECT b.id, o.route, o.path_len, o.path, o.transport_codes, t.payload_type, t.payload FROM observations o"
                " JOIN transmissions t ON t.id = o.transmission_id JOIN observers b USING(observer_key)"):
            transport = codes.to_bytes(4, "little") if route in (TRANSPORT_FLOOD, TRANSPORT_DIRECT) else b""
            rebuilt[observer, bytes([kind << 2 | route]) + transport + bytes([path_len]) + (path or b"") + payload] += 1
        self.assertEqual(rebuilt, collections.Counter((r.observer, r.frame.raw) for r in self.expected.receptions))

    def test_the_same_capture_again_changes_nothing_but_the_count_of_duplicates(self):
        before = self.counters()
        tables = {table: self.rows(f"SELECT * FROM {table}") for table in ("transmissions", "observations", "identity")}
        nodes = "SELECT public_key, name, role, lat, lon, first_seen, last_seen, advert_count FROM nodes ORDER BY 1"
        known = self.rows(nodes)
        self.expect(0, "ingestor", "run", "--once", "--capture", CAPTURE)
        self.assertEqual({table: self.rows(f"SELECT * FROM {table}") for table in tables}, tables)
        self.assertEqual(self.rows(nodes), known)
        after = self.counters()
        self.assertEqual(after["duplicates"] - before.get("duplicates", 0),
                         len(self.expected.receptions) + self.expected.duplicates)
        self.expect_whole()

    # --- Served ---

    def test_nodes_observers_and_totals_are_served_as_the_capture_has_them(self):
        _, client = self.start_server()
        served = {node["public_key"]: node for node in self.pages_of_nodes(client)}
        expected = {key.hex(): advert for key, advert in self.expected.nodes().items()}
        self.assertEqual(served.keys(), expected.keys())
        for key, advert in expected.items():
            self.assertEqual((served[key]["role"], served[key]["name"]), (advert.role, advert.name or None), key)
        roles = collections.Counter(advert.role for advert in expected.values())
        print(f"{len(expected)} nodes by role: {dict(roles)}; {len(self.expected.observers)} observers")
        stats = client.json("/api/stats")
        self.assertEqual((stats["totalTransmissions"], stats["totalObservations"], stats["totalNodesAllTime"]),
                         (len(self.expected.transmissions), len(self.expected.receptions), len(expected)))
        self.assertEqual(stats["counts"], {name: roles[name[:-1]] for name in stats["counts"]})
        self.assertEqual(stats["totalObservers"], len(self.expected.observers))
        self.assertEqual({observer["id"] for observer in client.json("/api/observers")["observers"]},
                         self.expected.observers)
        self.assertEqual(client.json("/api/packets?limit=1")["total"], len(self.expected.transmissions))

    @staticmethod
    def pages_of_nodes(client):
        nodes, total = [], 1
        while len(nodes) < total:
            page = client.json(f"/api/nodes?limit=50&offset={len(nodes)}")
            if not page["nodes"]:
                raise AssertionError(f"{len(nodes)} nodes in all pages, total is {total}")
            nodes, total = nodes + page["nodes"], page["total"]
        return nodes

    # --- Capability ---

    def test_the_capability_of_every_node_is_what_the_packets_prove(self):
        expected = self.expected.capability()
        print(f"capability: {dict(collections.Counter(expected.values()))}")
        self.assertGreater(len(set(expected.values())), 1, "a capture that proves nothing tests nothing")
        self.analyse()
        stored = {bytes.fromhex(key): (STATUSES[status], evidence) for key, status, evidence in self.rows(
            "SELECT public_key, multibyte_sup, multibyte_evidence FROM nodes UNION ALL"
            " SELECT public_key, multibyte_sup, multibyte_evidence FROM inactive_nodes")}
        self.assertEqual(stored, expected)
        _, client = self.start_server()
        self.assertEqual(self.verdicts_served(client), expected)
        summary = client.json("/api/multibyte")["summary"]
        statuses = collections.Counter(status for status, _ in expected.values())
        self.assertEqual({status: summary[status] for status in STATUSES}, {s: statuses[s] for s in STATUSES})
        self.expect_whole()

    def test_a_second_cycle_finds_nothing_new(self):
        self.analyse()
        commits = self.count("commit_log")
        self.assertIn("nothing changed", self.expect(0, "server", "analyze"))
        self.expect(0, "ingestor", "apply")
        self.assertEqual(self.count("commit_log"), commits)

    def test_a_restarted_server_answers_the_same_before_its_first_cycle_and_without_the_ingestor(self):
        self.analyse()
        first, client = self.start_server()
        # Complete first, for counters and adverts of a warm view come with the packets.
        eventually("all packets are read", lambda: client.json("/api/healthz")["progress"] == "complete")
        before = client.all("/api/multibyte", "nodes")
        self.stop(first)
        _, client = self.start_server()
        self.assertEqual(client.all("/api/multibyte", "nodes"), before)

    def test_what_a_server_knows_at_its_start_comes_from_the_database_and_not_from_packets(self):
        self.analyse()
        expected = self.expected.capability()
        # On a copy without a single packet only the stored state can tell.
        copy = self.path("copy")
        shutil.copytree(self.data, copy)
        self.data = copy
        self.edit_database("DELETE FROM observations; DELETE FROM transmissions;")
        _, client = self.start_server()
        self.assertEqual(client.json("/api/stats")["totalObservations"], 0)
        self.assertEqual(self.verdicts_served(client), expected)

    def test_either_program_may_restart_first_and_the_answers_stay(self):
        self.analyse()
        ingestor = self.start_ingestor()
        server, client = self.start_server()
        before = self.verdicts_served(client)
        self.stop(ingestor)
        self.assertEqual(self.verdicts_served(client), before)
        ingestor = self.start_ingestor()
        self.stop(server)
        server, client = self.start_server()
        self.assertEqual(self.verdicts_served(client), before)
        self.stop(server)
        self.stop(ingestor)
        server, client = self.start_server()
        self.start_ingestor()
        self.assertEqual(self.verdicts_served(client), before)
        self.expect_whole()


if __name__ == "__main__":
    sys.exit(main())
