#!/usr/bin/env python3
"""Clocks that are wrong or jump back, those of observers, of nodes, and of this machine: clocks.py
[FOLDER_OF_THE_PROGRAMS].
"""
import json
import shutil
import sys
import time
import unittest

from support import signing
from support.frames import ADVERT, FLOOD, OBSERVER, advert_payload, frame, line, message, packet_line, text_frame
from support.observatory import Observatory, now_text
from support.programs import eventually, main
from support.queue_files import DAY, QueueFile

YEAR_MS = 365 * DAY * 1000


class Clocks(Observatory):
    def snapshot(self, sequence, key, **entry):
        """A file that confirms one node."""
        node = {"public_key": key.public.hex(), "status": "confirmed", "evidence": "advert", "max_hash_size": 2,
                "adopted": False, "likely_legacy": False, "probability": 1.0, "advert_proofs": 1, "relay_proofs": 0,
                "path_hints": 0, "last_proof_at": None, **entry}
        return QueueFile(self, "multibyte-snapshot", json.dumps({"nodes": [node]}), sequence)

    def test_a_capture_whose_times_go_backwards_keeps_the_true_order_of_what_was_seen(self):
        key = signing.Key("node")
        times = ["2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
        raw = frame(FLOOD, ADVERT, advert_payload(key, name="Node"))
        self.ingest(packet_line(raw[:1] + bytes([hops]) + b"\xaa" * hops + raw[2:], at) for hops, at in enumerate(times))
        first, last, count = self.rows("SELECT first_seen, last_seen, observation_count FROM transmissions")[0]
        self.assertEqual((last - first, count), (2 * DAY * 1000, 3))
        self.assertEqual(self.rows("SELECT last_seen FROM nodes"), [(last,)])
        self.assertEqual(self.rows("SELECT last_seen, last_packet_at FROM observers"), [(last, last)])
        self.assertEqual([after for after, in self.rows("SELECT received_after FROM observations ORDER BY id")],
                         [0, -2 * DAY * 1000, -1 * DAY * 1000])
        _, client = self.start_server()
        eventually("all is read", lambda: client.json("/api/healthz")["progress"] == "complete")
        self.assertEqual(client.json("/api/healthz")["data_time"], times[0])
        self.expect_whole()

    def test_a_capture_from_the_future_is_received_now_at_the_latest(self):
        self.ingest([packet_line(text_frame(1), now_text(10 * 365 * DAY)), packet_line(text_frame(2), "9999-12-31T23:59:59Z"),
                     packet_line(text_frame(3), "1970-01-01T00:00:00Z")])
        seen = [value for value, in self.rows("SELECT first_seen FROM transmissions ORDER BY id")]
        now = time.time() * 1000
        self.assertTrue(all(value <= now for value in seen), seen)
        self.assertTrue(all(now - value < 300_000 for value in seen[:2]), seen)
        self.assertEqual(seen[2], 0)
        self.expect_whole()

    def test_an_older_advert_that_comes_later_does_not_rename_the_node(self):
        key = signing.Key("node")
        self.ingest(packet_line(frame(FLOOD, ADVERT, advert_payload(key, stamp, name=name)), f"2026-01-01T00:00:0{n}Z")
                    for n, (stamp, name) in enumerate([(1000, "old"), (3000, "new"), (2000, "older"), (0, "oldest")]))
        self.assertEqual(self.rows("SELECT name, advert_count FROM nodes"), [("new", 4)])

    def test_device_clocks_are_kept_beside_the_receipt_and_never_believed(self):
        stamps = {"2026-01-01T00:00:05Z": 1, "2036-01-01T00:00:00Z": 3, "1990-01-01T00:00:00Z": 3, "2025-12-31T17:00:00": 2,
                  "never": 0, "": 0, "9999-12-31T23:59:59Z": 3, "0000-00-00T00:00:00Z": 0}
        self.ingest(line(message(text_frame(n), timestamp=stamp)) for n, stamp in enumerate(stamps))
        self.assertEqual([flags >> 2 for flags, in self.rows("SELECT flags FROM observations ORDER BY id")],
                         list(stamps.values()))
        self.assertEqual(self.rows("SELECT DISTINCT first_seen FROM transmissions"), [(1_767_225_600_000,)])
        self.assertEqual(self.rows("SELECT clock_skew_seconds FROM observers WHERE id = ?", OBSERVER), [(-7 * 3600,)])

    def test_silence_is_measured_in_the_time_of_the_data_whatever_year_it_is_from(self):
        for year in ("1999", "2024"):
            with self.subTest(year=year):
                self.data = self.path("data-of-" + year)
                old, new = signing.Key("silent"), signing.Key("heard")
                self.ingest(packet_line(frame(FLOOD, ADVERT, advert_payload(key, name=key.public.hex()[:8])), at) for key, at in
                            ((old, year + "-03-01T00:00:00Z"), (new, year + "-03-07T23:00:00Z")))
                self.expect(0, "ingestor", "apply")
                self.assertEqual((self.count("nodes"), self.count("inactive_nodes")), (2, 0), "not yet a week")
                self.ingest([packet_line(text_frame(1), year + "-03-08T01:00:00Z")])
                self.expect(0, "ingestor", "apply")
                self.assertEqual(self.rows("SELECT public_key FROM nodes"), [(new.public.hex(),)])
                self.assertEqual(self.rows("SELECT public_key FROM inactive_nodes"), [(old.public.hex(),)])
                self.expect_whole()

    def test_commits_go_on_in_order_when_the_last_one_has_a_time_in_the_future(self):
        keys = [signing.Key(n) for n in range(3)]
        self.ingest(packet_line(frame(FLOOD, ADVERT, advert_payload(key, name="Node"))) for key in keys)
        self.snapshot(1, keys[0]).publish()
        self.expect(0, "ingestor", "apply")
        # As if the machine's clock had been two years ahead for a while.
        self.edit_database(f"""
            INSERT INTO commit_log(commit_id, branch_id, parent_seq, kind, actor, authored_us, committed_us)
              SELECT 'from-the-future', 1, head_seq, 'maintenance', 'test', 0, {(time.time_ns() // 1_000_000 + 2 * YEAR_MS) * 1000}
              FROM branch WHERE branch_id = 1;
            UPDATE branch SET head_seq = (SELECT max(commit_seq) FROM commit_log) WHERE branch_id = 1;""")
        self.expect_whole()
        for sequence, key in ((2, keys[1]), (3, keys[2])):
            self.snapshot(sequence, key).publish()
            self.expect(0, "ingestor", "apply")
        self.assertEqual([outcome for outcome, in self.rows("SELECT outcome FROM ledger ORDER BY producer_seq")],
                         ["applied"] * 3)
        times = [at for at, in self.rows("SELECT committed_us FROM commit_log ORDER BY commit_seq")]
        self.assertEqual(times, sorted(set(times)), "times of commits grow strictly")
        self.expect_whole()
        _, client = self.start_server()
        newest = self.value("SELECT commit_id FROM commit_log ORDER BY commit_seq DESC LIMIT 1")
        for as_of, confirmed in ((newest, 3), ("from-the-future", 1)):
            with self.subTest(as_of=as_of):
                self.assertEqual(client.json(f"/api/multibyte?as_of={as_of}")["summary"]["confirmed"], confirmed)

    def test_a_beat_from_the_future_does_not_keep_a_dead_ingestor_alive(self):
        ingestor = self.start_ingestor()
        eventually("it has shown itself", lambda: self.count("process"))
        ingestor.kill()
        self.edit_database(f"UPDATE process SET beat_at = {time.time_ns() // 1_000_000 + YEAR_MS}, stopped_at = NULL")
        _, client = self.start_server()
        self.assertEqual(client.json("/api/healthz")["ingestor"]["alive"], False)

    @unittest.skipUnless(shutil.which("faketime"), "faketime is not installed; the jump is simulated by other cases")
    def test_a_machine_whose_clock_jumps_back_a_year_goes_on(self):
        key = signing.Key("node")
        self.ingest([packet_line(frame(FLOOD, ADVERT, advert_payload(key, name="Node")))])
        self.snapshot(1, key).publish()
        self.expect(0, "ingestor", "apply")
        program = self.start("faketime", "-f", "-1y", self.program("ingestor"), "run", "--once", "--capture",
                             self.write("more.jsonl", packet_line(text_frame(1)) + "\n"), "--data", self.data)
        self.assertEqual(program.wait(), 0, program.log())
        self.assertEqual(self.count("observations"), 2)
        self.expect_whole()


if __name__ == "__main__":
    sys.exit(main())
