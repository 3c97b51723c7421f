#!/usr/bin/env python3
"""History through the whole pair: commits that can be asked for, branches that are merged, and a feed that is followed over
the wire while both programs work: history.py [FOLDER_OF_THE_PROGRAMS].
"""
import json
import os
import socket
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
import queue_publisher  # noqa: E402
from support.frames import ADVERT, FLOOD, frame, packet_line  # noqa: E402
from support.observatory import Observatory  # noqa: E402
from support.programs import PATIENCE, eventually, main  # noqa: E402

KEY = "the-key-of-the-test"
NODES = [bytes([number]) * 32 for number in (1, 2, 3)]
REPEATER = 2


class Stream:
    """An EventSource on a socket: the events that have come, and the id of the last."""

    def __init__(self, port, path="/api/events", last_id=None):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n{resume}\r\n".encode())
        self._rest = b""
        self.last_id = last_id

    def next(self, name):
        """The next event of that name; others are passed over."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            while b"\n\n" not in self._rest:
                arrived = self._socket.recv(65536)
                assert arrived, "the server ended the stream"
                self._rest += arrived
            block, self._rest = self._rest.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line)
            if "event" not in fields:
                continue
            self.last_id = fields["id"]
            if fields["event"] == name:
                return json.loads(fields["data"])
        raise AssertionError(f"no event {name} within {PATIENCE} s")

    def close(self):
        self._socket.close()


class History(Observatory):

    def setUp(self):
        super().setUp()
        self.write_config({"validateSignatures": False})
        self.ingest([packet_line(frame(FLOOD, ADVERT, key + (1000).to_bytes(4, "little") + bytes(64) + bytes([REPEATER])))
                     for key in NODES])
        self.ingestor = self.start_ingestor()
        self.server, self.client = self.start_server(key=KEY, environment={"HELIOGRAPH_API_KEY": KEY})
        # The server's own first finding comes before those of the test.
        first = "SELECT count(*) FROM ledger WHERE kind='multibyte-snapshot'"
        eventually("the first finding is applied", lambda: self.value(first) == 1)
        self.number = 1_000_000

    def snapshot(self, *entries, branch=1):
        """A finding of the analytics, as one of its own would be published; what became of it."""
        self.number += 1
        payload = queue_publisher.snapshot([
            {"public_key": NODES[node].hex(), "status": status, "evidence": evidence, "max_hash_size": 2}
            for node, status, evidence in entries])
        file = queue_publisher.QueueFile("multibyte-snapshot", self.value("SELECT value FROM meta WHERE key='epoch'"),
                                         self.number, payload, branch=branch,
                                         watermark=self.value("SELECT max(id) FROM observations"))
        queue_publisher.publish(self.data, file)
        return self.outcome(self.client, file.id)

    def ask(self, method, path, body=None):
        """A request that changes something; what became of it."""
        answer = self.client.request(method, path, body=body)
        self.assertEqual(answer.status, 202, answer.body)
        return self.outcome(self.client, answer.json()["requestId"])

    def statuses(self, query=""):
        return {node["public_key"][:2]: node["status"] for node in self.client.json("/api/multibyte" + query)["nodes"]
                if node["status"] != "unknown"}

    def test_a_branch_is_made_compared_merged_and_deleted(self):
        self.snapshot((0, "suspected", "path"))
        self.assertEqual(self.ask("POST", "/api/branches", {"name": "what-if"})["outcome"], "done")
        branch = self.client.json("/api/branches/what-if")
        self.assertEqual(self.snapshot((0, "confirmed", "advert"), (1, "suspected", "path"), branch=branch["id"])["outcome"],
                         "applied")
        self.assertEqual(self.statuses("?branch=what-if"), {"01": "confirmed", "02": "suspected"})
        eventually("main stays as it was", lambda: self.statuses("?branch=main") == {"01": "suspected"})
        diff = self.client.json("/api/branches/what-if/diff")
        self.assertEqual([entry["entity_id"][:2] for entry in diff["differences"]], ["01", "02"])
        before = self.client.json("/api/commits")["commits"][0]["id"]
        self.assertEqual(self.ask("POST", "/api/branches/what-if/merge")["outcome"], "applied")
        eventually("main has what was merged", lambda: self.statuses() == {"01": "confirmed", "02": "suspected"})
        self.assertEqual(self.statuses(f"?as_of={before}"), {"01": "suspected"})
        merge = self.client.json("/api/commits")["commits"][0]
        self.assertEqual((merge["kind"], merge["merged_parent"]), ("merge", self.client.json(
            "/api/branches/what-if")["head"]))
        self.assertEqual(self.ask("DELETE", "/api/branches/what-if")["outcome"], "done")
        self.assertEqual(self.client.get("/api/branches/what-if").status, 404)
        self.expect_whole()

    def test_a_conflict_waits_for_somebody_to_choose(self):
        self.ask("POST", "/api/branches", {"name": "b"})
        self.snapshot((0, "suspected", "path"), branch=2)
        self.snapshot((0, "confirmed", "advert"))
        conflict = self.ask("POST", "/api/branches/b/merge")
        self.assertEqual(conflict["outcome"], "conflict")
        self.assertEqual(conflict["result"]["entities"], [{"kind": "node", "id": NODES[0].hex()}])
        self.assertEqual(self.ask("POST", "/api/branches/b/merge", {"side": "branch"})["outcome"], "applied")
        self.expect_whole()

    def test_a_commit_is_pinned_and_another_reverted(self):
        self.snapshot((0, "suspected", "path"))
        self.snapshot((0, "confirmed", "advert"))
        newest = self.client.json("/api/commits")["commits"][0]["id"]
        self.assertEqual(self.ask("POST", "/api/pins", {"name": "before", "commit": newest})["outcome"], "done")
        self.assertEqual(self.client.json("/api/pins")["pins"][0]["commit"], newest)
        self.assertEqual(self.ask("POST", f"/api/commits/{newest}/revert")["outcome"], "applied")
        history = self.client.json(f"/api/entities/node/{NODES[0].hex()}")["history"]
        self.assertEqual([interval["state"]["status"] for interval in history],
                         ["unknown", "suspected", "confirmed", "suspected"])
        self.assertEqual(self.statuses("?as_of=pin:before"), {"01": "confirmed"})
        self.expect_whole()

    def test_a_stream_hears_of_a_commit_and_goes_on_where_it_was_after_both_programs_were_killed(self):
        of_nodes = "/api/events?entity_kind=node"
        stream = Stream(self.client.port, of_nodes)
        stream.next("hello")
        self.snapshot((0, "suspected", "path"))
        self.assertEqual(stream.next("change")["entity_id"], NODES[0].hex())
        last_id = stream.last_id
        stream.close()
        self.snapshot((1, "suspected", "path"))
        self.server.kill()
        self.ingestor.kill()
        self.ingestor = self.start_ingestor()
        self.server, self.client = self.start_server(key=KEY, environment={"HELIOGRAPH_API_KEY": KEY})
        stream = Stream(self.client.port, of_nodes, last_id)
        self.assertEqual(stream.next("change")["entity_id"], NODES[1].hex(), "what came while nobody listened")
        self.snapshot((2, "suspected", "path"))
        self.assertEqual(stream.next("change")["entity_id"], NODES[2].hex())
        stream.close()
        self.expect_whole()

    def test_a_restored_database_resets_the_stream(self):
        self.snapshot((0, "suspected", "path"))
        last = self.client.json("/api/changes")["cursor"]
        copy = self.path("copy.db")
        self.expect(0, "ingestor", "backup", copy)
        self.stop(self.ingestor)
        self.expect(0, "ingestor", "restore", copy)
        self.ingestor = self.start_ingestor()
        answer = eventually("the server sees the restored database",
                            lambda: self.reset_of(last) if self.reset_of(last) else None)
        self.assertEqual(answer["reason"], "other_epoch")
        stream = Stream(self.client.port, "/api/events?entity_kind=node", last)
        self.assertEqual(stream.next("reset")["reason"], "other_epoch")
        self.snapshot((1, "suspected", "path"))
        self.assertEqual(stream.next("change")["entity_id"], NODES[1].hex())
        stream.close()
        self.assertEqual(self.statuses("?as_of=seq:3"), {"01": "suspected"}, "history outlives a restore")
        self.expect_whole()

    def reset_of(self, cursor):
        answer = self.client.get(f"/api/changes?cursor={cursor}")
        return answer.json()["reset"] if answer.status == 410 else None

    def test_packets_are_streamed_as_they_are_stored(self):
        stream = Stream(self.client.port, "/api/events/packets")
        stream.next("hello")
        frame_bytes = frame(FLOOD, 2, b"a text of this test", b"\x0a\x0b", 1)
        posted = self.client.post("/api/packets", {"hex": frame_bytes.hex(), "observer": "ab" * 32, "snr": 5})
        self.assertEqual(posted.status, 202, posted.body)
        packet = stream.next("packet")["packet"]
        self.assertEqual((packet["raw_hex"], packet["snr"]), (frame_bytes.hex(), 5.0))
        stream.close()

    def test_the_past_below_the_floor_is_gone_with_the_floor_named(self):
        self.snapshot((0, "suspected", "path"))
        self.snapshot((0, "confirmed", "advert"))
        self.stop(self.ingestor)
        self.edit_database("UPDATE meta SET value='4' WHERE key='history_floor'")
        gone = self.client.get("/api/multibyte?as_of=seq:3")
        self.assertEqual((gone.status, gone.json()["code"], gone.json()["floor_seq"]), (410, "history_reclaimed", 4))
        self.assertEqual(self.client.get("/api/recovery").status, 200)


if __name__ == "__main__":
    main()
