#!/usr/bin/env python3
"""The feed's promise over the wire: two hundred clients that drop and resume at random, while commits are made, both programs
are killed and retention deletes what is old, each see the exact sequence or are told why not: feed.py [FOLDER_OF_THE_PROGRAMS].
"""
import bisect
import collections
import json
import os
import random
import sys
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
import queue_publisher  # noqa: E402
from support.event_stream import Event, EventStreamParser  # noqa: E402
from support.feed_listeners import Listener, Listeners, position_of  # noqa: E402
from support.frames import ADVERT, FLOOD, GROUP_TEXT, TEXT, frame, packet_line  # noqa: E402
from support.observatory import Observatory  # noqa: E402
from support.programs import eventually, main  # noqa: E402

KEY = "the-key-of-the-test"
SEED = int(os.environ.get("HELIOGRAPH_FEED_SEED", random.SystemRandom().randrange(1 << 32)))
NODES = [bytes([number]) * 32 for number in range(1, 19)]
OBSERVERS = {letter * 64: region for letter, region in (("A", "SFO"), ("B", "LAX"), ("C", "SFO"))}
PEOPLE, STAYING_AWAY, PACKETS = 150, 20, 30  # listeners: 200 in all
EIGHT_DAYS = 8 * 86_400_000
AGE = r'"at":"[^"]*",'  # of a change, which the test makes older

Row = collections.namedtuple("Row", "seq kind entity_kind entity_id branch commit_seq payload")
Reception = collections.namedtuple("Reception", "id hash type observer region")

ROWS = ("SELECT l.seq, l.kind, l.entity_kind, l.entity_id, b.name, l.commit_seq, l.payload FROM change_log AS l JOIN branch AS b"
        " USING(branch_id) ORDER BY l.seq")
RECEPTIONS = ("SELECT o.id, lower(hex(t.content_hash)), t.payload_type, b.id, b.iata FROM observations AS o JOIN transmissions AS t ON"
              " t.id = o.transmission_id JOIN observers AS b ON b.observer_key = o.observer_key ORDER BY o.id")


class Parser(unittest.TestCase):

    def test_an_event_stream_is_read_as_the_standard_says_wherever_it_is_cut(self):
        stream = ("\ufeff: a comment\r\nid: 1\rdata:one\ndata\r\ndata:  two\r\n\r\nid: 2\n\nevent: named\nid: 3\0\nretry: 4x\nretry: 5"
                  "\ndata: \u00e4\n\nid\ndata\n\nid: 4\ndata: never ended\n").encode()
        expected = [Event("message", "one\n\n two", "1"), Event("named", "\u00e4", "2"), Event("message", "", "")]
        for size in range(1, len(stream)):
            parser = EventStreamParser()
            events = [event for at in range(0, len(stream), size) for event in parser.feed(stream[at:at + size])]
            self.assertEqual((events, parser.retry, parser.last_id), (expected, 5, ""), f"in pieces of {size} bytes")


def change_filters(dice):
    """Filters of /api/events, and what they mean."""
    kinds = ["capability_changed", "commit", "cluster_changed", "cluster_decision", "branch_created", "cluster_run_applied"]
    entity_kinds = ["node", "commit", "cluster", "branch", "cluster_run", "cluster_job"]
    for _ in range(PEOPLE + STAYING_AWAY):
        wanted, parts = [], []
        for name, member, choices in (("kind", "kind", kinds), ("entity_kind", "entity_kind", entity_kinds),
                                      ("entity", "entity_id", [node.hex() for node in NODES])):
            if dice.random() < 0.2:
                some = dice.sample(choices, dice.randrange(1, 4))
                wanted.append((member, some))
                parts.append(f"{name}={','.join(text.upper() if dice.random() < 0.2 else text for text in some)}")
        if dice.random() < 0.1:
            wanted.append(("branch", ["main"]))
            parts.append("branch=main")
        yield "&".join(parts), lambda row, wanted=wanted: all(getattr(row, member) in some for member, some in wanted)


def packet_filters(dice):
    for _ in range(PACKETS):
        observer = dice.choice(list(OBSERVERS))
        yield dice.choice((
            ("", lambda reception: True),
            ("", lambda reception: True),
            (f"type={GROUP_TEXT}", lambda reception: reception.type == GROUP_TEXT),
            ("region=sfo", lambda reception: reception.region == "SFO"),
            (f"observer={observer.lower()}", lambda reception, wanted=observer: reception.observer == wanted)))


class Feed(Observatory):

    def setUp(self):
        super().setUp()
        print(f"seed {SEED}")
        self.dice = random.Random(SEED)
        self.write_config({"validateSignatures": False, "http": {"maxStreams": 2000}})
        self.ingest([packet_line(frame(FLOOD, ADVERT, key + (1000).to_bytes(4, "little") + bytes(64) + bytes([2])),
                                 observer=observer, iata=region)
                     for key, (observer, region) in zip(NODES, list(OBSERVERS.items()) * len(NODES))])
        self.ingestor = self.start_ingestor()
        self.number, self.branches = 1_000_000, []
        self.listeners = Listeners(self.all_listeners(), SEED, varies=AGE)
        self.serve()
        first = "SELECT count(*) FROM ledger WHERE kind='multibyte-snapshot'"
        eventually("the server's own first finding is applied", lambda: self.value(first) == 1)
        self.listeners.start()
        self.addCleanup(self.listeners.end)

    def all_listeners(self):
        changes = [Listener("/api/events", query, wants, stays_away=number < STAYING_AWAY)
                   for number, (query, wants) in enumerate(change_filters(self.dice))]
        # Cursors that cannot be gone on from.
        self.ahead = Listener("/api/events", start=f"cursor={self.epoch()[:16]}-1000000000")
        self.foreign = Listener("/api/events", start=f"cursor={'0' * 16}-1")
        changes[-2:] = [self.ahead, self.foreign]
        packets = [Listener("/api/events/packets", query, wants) for query, wants in packet_filters(self.dice)]
        return changes + packets

    def epoch(self):
        return self.value("SELECT value FROM meta WHERE key = 'epoch'")

    def serve(self):
        self.server, self.client = self.start_server(key=KEY, environment={"HELIOGRAPH_API_KEY": KEY})
        self.listeners.port = self.client.port

    # --- What happens to the mesh ---

    def publish(self, kind, stream, payload, branch=1, base=0, watermark=0):
        """The id of the queue file."""
        self.number += 1
        file = queue_publisher.QueueFile(kind, self.epoch(), self.number, payload, stream=stream, branch=branch, base=base,
                                         watermark=watermark)
        queue_publisher.publish(self.data, file)
        return file.id

    def watermark(self):
        return self.value("SELECT max(id) FROM observations")

    def find_capability(self):
        # Another probability each time, so that each is a change.
        entries = [{"public_key": node.hex(), "status": "suspected", "evidence": "path", "max_hash_size": 2,
                    "probability": self.dice.randrange(100) / 100} for node in self.dice.sample(NODES, 5)]
        branch = self.dice.choice([1, *(self.branch_id(name) for name in self.branches)])
        return self.publish("multibyte-snapshot", "multibyte-snapshot", queue_publisher.snapshot(entries), branch,
                            watermark=self.watermark())

    def find_clusters(self):
        nodes = [node.hex() for node in NODES]
        if self.dice.random() < 0.5:
            self.dice.shuffle(nodes)
        cuts = sorted(self.dice.sample(range(3, len(nodes), 3), 3))
        groups = [nodes[begin:end] for begin, end in zip([0, *cuts], cuts)]
        seen = self.watermark()
        return self.publish("cluster-snapshot", "clusters/mesh", queue_publisher.cluster_run(groups, nodes[cuts[-1]:], seen),
                            watermark=seen)

    def correct_a_cluster(self):
        tracks = self.rows("SELECT t.track_id FROM cluster_tracks AS t JOIN cluster_track_states AS s USING(track_key)"
                           " WHERE s.to_seq IS NULL AND s.branch_id = 1 AND s.status IN ('active', 'closed')")
        if not tracks:
            return self.find_clusters()
        request = {"action": self.dice.choice(("rename", "close", "reopen")), "cluster": self.dice.choice(tracks)[0], "reason": "a test"}
        if request["action"] == "rename":
            request["title"] = f"The {self.number}th \u2028 \u00e9\u4e2d name"
        return self.publish("override", "overrides", json.dumps(request).encode(),
                            base=self.value("SELECT head_seq FROM branch WHERE branch_id = 1"))

    def order_a_run(self):
        return self.ask("POST", "/api/cluster-jobs", {"parameters": {"resolution": self.dice.uniform(0.5, 4)}}, "id")

    def make_or_delete_a_branch(self):
        if len(self.branches) > 1 or (self.branches and self.dice.random() < 0.4):
            return self.ask("DELETE", f"/api/branches/{self.branches.pop(0)}")
        self.branches.append(f"what-if-{self.number}")
        return self.ask("POST", "/api/branches", {"name": self.branches[-1]})

    def branch_id(self, name):
        return self.value("SELECT coalesce(max(branch_id), 1) FROM branch WHERE name = ? AND state = 'live'", name)

    def hear_packets(self):
        lines = []
        for _ in range(self.dice.randrange(1, 6)):
            self.number += 1
            raw = frame(FLOOD, self.dice.choice((TEXT, GROUP_TEXT)), f"text {self.number}".encode())
            for observer, region in self.dice.sample(list(OBSERVERS.items()), self.dice.randrange(1, 4)):
                lines.append(packet_line(raw, observer=observer, iata=region))
        return self.publish("packet-inject", "packet-inject", "\n".join(lines).encode() + b"\n")

    def ask(self, method, path, body=None, member="requestId"):
        answer = self.client.request(method, path, body=body)
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json()[member]

    def life(self, rounds, waits=True):
        """So often everything happens, each once the one before has been dealt with, or all at once."""
        for _ in range(rounds):
            happenings = [self.find_capability, self.find_clusters, self.correct_a_cluster, self.make_or_delete_a_branch,
                          self.hear_packets]
            self.dice.shuffle(happenings)
            for happening in happenings:
                self.listeners.check()
                happening()
                if waits:
                    eventually("all is applied", lambda: not self.queue("new"))

    # --- What happens to the programs ---

    def kill_the_server(self):
        self.listeners.port = None
        self.server.kill()
        self.find_clusters()
        self.find_capability()
        self.serve()

    def kill_the_ingestor(self):
        for happening in (self.find_clusters, self.hear_packets, self.find_capability, self.correct_a_cluster, self.hear_packets):
            happening()
        self.ingestor.kill()
        self.ingestor = self.start_ingestor()

    def restart_the_server(self):
        self.listeners.port = None
        self.stop(self.server)
        self.serve()

    def let_retention_overtake_those_who_are_away(self):
        """The floor that it leaves. The rows that go are a week old, by a clock that the test sets."""
        away = [one for one in self.listeners.listeners if one.stays_away]
        eventually("those who will be away were there", lambda: all(one.segments for one in away))
        self.listeners.keep_away(True)
        eventually("they are away", lambda: not any(one.connection for one in away))
        self.life(3)
        self.stop(self.ingestor)
        self.before = self.rows(ROWS)
        floor = self.before[-5][0]
        self.assertGreater(floor, max(position_of(one.last_id) for one in away))
        rule = self.value("SELECT sql FROM sqlite_schema WHERE name = 'change_log_is_append_only'")
        self.edit_database(f"BEGIN; DROP TRIGGER change_log_is_append_only;"
                           f"UPDATE change_log SET logged_at = logged_at - {EIGHT_DAYS} WHERE seq <= {floor}; {rule}; COMMIT;")
        self.expect(0, "ingestor", "apply")
        self.assertEqual(self.value("SELECT value FROM meta WHERE key = 'feed_floor'"), str(floor))
        self.ingestor = self.start_ingestor()
        self.listeners.keep_away(False)
        return floor

    # --- The test ---

    def test_whoever_drops_and_resumes_hears_the_exact_sequence_or_why_not(self):
        begin = time.monotonic()
        self.order_a_run()
        self.life(3)
        self.kill_the_server()
        self.life(3)
        self.kill_the_ingestor()
        self.life(3)
        floor = self.let_retention_overtake_those_who_are_away()
        self.life(3)
        self.restart_the_server()
        self.stop(self.ingestor)
        self.ingestor = self.start_ingestor()
        self.order_a_run()
        self.life(3, waits=False)
        eventually("all is applied", lambda: not self.queue("new"))
        eventually("no job is left", lambda: self.value("SELECT count(*) FROM cluster_jobs WHERE finished_at IS NULL") == 0)
        self.stop(self.ingestor)  # so that nothing more happens
        self.listeners.settle()
        log = {"/api/events": self.whole_log(), "/api/events/packets": [Reception(*row) for row in self.rows(RECEPTIONS)]}
        self.expect_exact(log, floor)
        self.expect_told_truly(log)
        self.expect_clusters_in_pages(log["/api/events"], floor)
        self.expect_a_whole_mixture(log, floor)
        self.listeners.check()
        print(f"{len(log['/api/events'])} changes and {len(log['/api/events/packets'])} receptions, told over"
              f" {sum(one.connects for one in self.listeners.listeners)} connections, dropped {self.listeners.drops}, in"
              f" {time.monotonic() - begin:.1f} s")
        self.expect_whole()

    def whole_log(self):
        kept = self.rows(ROWS)
        rows = [Row(*row) for row in [row for row in self.before if row[0] < kept[0][0]] + kept]
        self.assertEqual([row.seq for row in rows], list(range(1, len(rows) + 1)), "the log has no gap")
        return rows

    def expect_exact(self, log, floor):
        heads = {path: rows[-1][0] for path, rows in log.items()}
        for listener in self.listeners.listeners:
            rows = log[listener.path]
            wanted = [row[0] for row in rows if listener.wants(row)]

            def has_all(listener=listener, wanted=wanted):
                self.listeners.check()
                last = listener.segments[-1] if listener.segments else None
                return last and len(last.heard) >= len(wanted) - bisect.bisect_right(wanted, last.begin)
            eventually(f"a listener hears all of {listener.request()}", has_all)
            for segment in listener.segments:
                exact = wanted[bisect.bisect_right(wanted, segment.begin):]
                # What a reset cut off is lost, and the client knows.
                if segment is not listener.segments[-1]:
                    exact = exact[:len(segment.heard)]
                self.assertEqual(segment.heard, exact, f"after {segment.begin}: {listener.request()}")
                self.assertLessEqual(segment.begin, heads[listener.path])
            self.expect_right_resets(listener, floor)

    def expect_right_resets(self, listener, floor):
        reasons = [reset["reason"] for reset in listener.resets()]
        if listener in (self.ahead, self.foreign):
            self.assertEqual(reasons.pop(0), "ahead_of_head" if listener is self.ahead else "other_epoch")
        for reset in listener.resets()[-len(reasons):] if reasons else []:
            self.assertEqual(reset["reason"], "behind_retention")
            self.assertLess(position_of(reset["requested"]), floor)
            self.assertGreaterEqual(position_of(reset["cursor"]), floor)
        if listener.stays_away:
            self.assertEqual(len(reasons), 1, f"away while its cursor fell behind the floor: {listener.request()}")
        self.assertLessEqual(len(reasons), 1, "the floor rose once")

    def expect_told_truly(self, log):
        """What was told is what is stored."""
        rows = {row.seq: row for row in log["/api/events"]}
        receptions = {reception.id: reception for reception in log["/api/events/packets"]}
        for (path, position), text in self.listeners.told.items():
            told = json.loads(text)
            if path == "/api/events":
                row = rows[position]
                self.assertEqual(Row(told["seq"], told["kind"], told["entity_kind"], told["entity_id"], told["branch"],
                                     told["commit_seq"], told["data"]), row._replace(payload=json.loads(row.payload)))
            else:
                reception = receptions[position]
                self.assertEqual((told["observation_id"], told["packet"]["hash"], told["packet"]["observer_id"]),
                                 (position, reception.hash, reception.observer))
        self.assertEqual({position for path, position in self.listeners.told if path == "/api/events"}, set(rows))
        heard = {receptions[position].hash for path, position in self.listeners.told if path == "/api/events/packets"}
        self.assertEqual(heard, {hash for hash, in self.rows("SELECT lower(hex(content_hash)) FROM transmissions")})

    def expect_clusters_in_pages(self, rows, floor):
        """The feed in pages tells of one cluster what the log has of it."""
        clusters = sorted({row.entity_id for row in rows if row.entity_kind == "cluster" and row.seq > floor})
        for cluster in self.dice.sample(clusters, 3):
            page = self.client.json(f"/api/changes?start=beginning&limit=1000&entity_kind=cluster&entity={cluster.lower()}")
            self.assertEqual([entry["seq"] for entry in page["changes"]],
                             [row.seq for row in rows if row.entity_id == cluster and row.seq > floor])

    def expect_a_whole_mixture(self, log, floor):
        """The run had in it what it is to prove, and each commit's rows end with the commit's own."""
        kinds = collections.Counter(row.kind for row in log["/api/events"])
        for kind in ("capability_changed", "commit", "branch_created", "branch_deleted", "cluster_changed", "cluster_decision",
                     "cluster_override", "cluster_run_applied", "cluster_job_finished"):
            self.assertGreater(kinds[kind], 0, f"no {kind} among {kinds}")
        self.assertGreater(floor, 100)
        self.assertTrue(all(self.listeners.drops.values()), self.listeners.drops)
        self.assertGreater(sum(one.connects for one in self.listeners.listeners), 3 * len(self.listeners.listeners))
        last = {row.commit_seq: row.kind for row in log["/api/events"] if row.commit_seq}
        self.assertEqual(set(last.values()), {"commit"})
        self.assertEqual(kinds["commit"], len(last))


if __name__ == "__main__":
    main()
