#!/usr/bin/env python3
"""harness_test.py FOLDER_OF_THE_PROGRAMS: the proof that the rules of these tests can fail."""
import pathlib
import sqlite3
import sys
import types
import unittest

import database_state
import programs
import soak_traffic
import soak_verdict
from feed_follower import FeedFollower, frames
from operation_counter import Moment, OperationCounter, can_tear, faults_of_death
from system_call_order_test import Trace, faults_of_quarantine, faults_of_removal

FILE = types.SimpleNamespace(name="a file")
WRITE_WAL = '7 pwrite64(5</v/db/heliograph.db-wal>, "frame"..., 4096, 32) = 4096'
SYNC_WAL = "7 fdatasync(5</v/db/heliograph.db-wal>) = 0"
REMOVE = '7 unlinkat(9</v/queue/new>, "a file", 0) = 0'
SYNC_NEW = "7 fsync(9</v/queue/new>) = 0"
SYNC_REASON = "7 fsync(11</v/queue/failed/.reason.tmp>) = 0"
NAME_REASON = '7 renameat(8</v/queue/failed>, ".reason.tmp", 8</v/queue/failed>, "a file.reason") = 0'
MOVE = '7 renameat2(9</v/queue/new>, "a file", 8</v/queue/failed>, "a file", RENAME_NOREPLACE) = 0'
SYNC_FAILED = "7 fsync(8</v/queue/failed>) = 0"


class OrderOfCalls(unittest.TestCase):

    def test_takes_the_order_of_the_protocol(self):
        self.assertEqual(faults_of_removal(Trace([WRITE_WAL, SYNC_WAL, REMOVE, SYNC_NEW]), FILE), [])

    def test_finds_a_removal_before_the_wal_is_durable(self):
        for wrong in ([WRITE_WAL, REMOVE, SYNC_NEW, SYNC_WAL], [SYNC_WAL, WRITE_WAL, REMOVE, SYNC_NEW], [REMOVE, SYNC_NEW]):
            self.assertTrue(faults_of_removal(Trace(wrong), FILE), wrong)

    def test_finds_a_removal_that_is_not_made_durable(self):
        self.assertTrue(faults_of_removal(Trace([WRITE_WAL, SYNC_WAL, REMOVE]), FILE))

    def test_does_not_count_a_call_that_failed(self):
        failed = SYNC_WAL.replace("= 0", "= -1 EIO (Input/output error)")
        self.assertTrue(faults_of_removal(Trace([WRITE_WAL, failed, REMOVE, SYNC_NEW]), FILE))

    def test_finds_a_file_that_is_set_aside_before_its_reason_is_there(self):
        right = [WRITE_WAL, SYNC_WAL, SYNC_REASON, NAME_REASON, MOVE, SYNC_FAILED, SYNC_NEW]
        self.assertEqual(faults_of_quarantine(Trace(right), FILE), [])
        for wrong in (right[:3] + right[4:], right[:2] + right[3:], right[:5]):
            self.assertTrue(faults_of_quarantine(Trace(wrong), FILE), wrong)


class Feed(unittest.TestCase):

    def faults(self, rows, commits=(2, 3)):
        database = sqlite3.connect(":memory:")
        database.row_factory = sqlite3.Row
        database.executescript("CREATE TABLE meta(key, value); INSERT INTO meta VALUES ('feed_floor', '0');"
                               "CREATE TABLE change_log(seq, commit_seq, kind); CREATE TABLE commit_log(commit_seq, kind);")
        database.executemany("INSERT INTO change_log VALUES (?,?,?)", rows)
        database.executemany("INSERT INTO commit_log VALUES (?, 'snapshot')", [(commit,) for commit in commits])
        return database_state.feed_faults(database)

    def test_takes_blocks_that_their_commit_closes(self):
        self.assertEqual(self.faults([(1, 2, "change"), (2, 2, "commit"), (3, None, "branch"), (4, 3, "commit")]), [])

    def test_finds_a_gap(self):
        self.assertTrue(self.faults([(1, 2, "commit"), (3, 3, "commit")]))

    def test_finds_a_block_that_is_not_closed_or_closed_twice(self):
        self.assertTrue(self.faults([(1, 2, "commit"), (2, 2, "change"), (3, 3, "commit")]))
        self.assertTrue(self.faults([(1, 2, "commit"), (2, 2, "commit"), (3, 3, "commit")]))

    def test_finds_a_commit_without_a_block(self):
        self.assertTrue(self.faults([(1, 3, "commit")]))


class Difference(unittest.TestCase):

    def test_names_what_is_missing_too_much_or_in_another_order(self):
        self.assertEqual(database_state.difference({"t": ["a", "b"]}, {"t": ["a", "b"]}), [])
        self.assertEqual(database_state.difference({"t": ["a"]}, {}), ["t: missing a"])
        self.assertEqual(database_state.difference({}, {"t": ["a"]}), ["t: too much a"])
        self.assertEqual(database_state.difference({"t": ["a", "b"]}, {"t": ["b", "a"]}),
                         ["t: the same rows in another order"])
        self.assertTrue(database_state.difference({"t": ["a"]}, {"t": ["a", "a"]}))


class Counter(unittest.TestCase):
    """The counter of operations, around small programs whose operations are known."""

    PUBLISH = """
import sqlite3, sys
sys.path.insert(0, sys.argv[2])
import pathlib, queue_publisher
volume = pathlib.Path(sys.argv[1])
for folder in ("tmp", "new"):
    (volume / "queue" / folder).mkdir(parents=True)
database = sqlite3.connect(volume / "database")
database.execute("PRAGMA journal_mode=WAL")
database.execute("PRAGMA synchronous=FULL")
database.execute("CREATE TABLE t(a)")
database.close()
queue_publisher.publish(volume, queue_publisher.QueueFile("pin", "of a test", 1, b"{}"))
"""
    WRITE_TWICE = """
import os, sys
file = os.open(sys.argv[1] + "/file", os.O_WRONLY | os.O_CREAT)
os.write(file, b"abcd")
os.write(os.open(os.path.dirname(sys.argv[1]) + "/elsewhere", os.O_WRONLY | os.O_CREAT), b"xy")
os.write(file, b"efgh")
os.unlink(sys.argv[1] + "/file")
"""

    def setUp(self):
        room = programs.scratch("harness")
        self.addCleanup(room.cleanup)
        self.folder = pathlib.Path(room.name).resolve() / "volume"
        self.folder.mkdir()
        self.counter = OperationCounter(BUILT)

    def run_program(self, program, moment=None):
        command = [sys.executable, "-B", "-c", program, self.folder, pathlib.Path(__file__).resolve().parent]
        return self.counter.run(command, self.folder, moment)

    def content(self):
        return (self.folder / "file").read_text()

    def test_sees_what_becomes_of_a_database_and_of_a_queue_file(self):
        ending, operations = self.run_program(self.PUBLISH)
        self.assertEqual(ending.code, 0, ending)
        text = "\n".join(operations)
        for wanted in ("mkdir queue/new", "pwrite64 database-wal", "fdatasync database-wal", "pwrite64 database\n",
                       "unlink database-wal", "write queue/tmp/0", "fsync queue/tmp/0", "rename queue/new/0",
                       "fsync queue/new\n"):
            self.assertIn(wanted, text + "\n")
        self.assertNotIn("-shm", text)

    def test_counts_below_the_folder_only(self):
        _, operations = self.run_program(self.WRITE_TWICE)
        names = [operation.split(" ")[0].removesuffix("64") for operation in operations]
        self.assertEqual(names[-3:], ["write", "write", "unlink"])
        self.assertEqual([can_tear(operation) for operation in operations], [False, True, True, False])

    def test_kills_before_the_operation(self):
        ending, operations = self.run_program(self.WRITE_TWICE, Moment(3, "kill"))
        self.assertEqual(faults_of_death(ending, operations, Moment(3, "kill")), [])
        self.assertEqual(self.content(), "abcd")

    def test_tears_a_write(self):
        ending, operations = self.run_program(self.WRITE_TWICE, Moment(3, "tear"))
        self.assertEqual(faults_of_death(ending, operations, Moment(3, "tear")), [])
        self.assertEqual(self.content(), "abcdef")

    def test_lets_an_operation_fail(self):
        ending, _ = self.run_program(self.WRITE_TWICE, Moment(3, "error"))
        self.assertIn("No space left on device", ending.output)
        self.assertEqual(self.content(), "abcd")

    def test_finds_a_process_that_never_comes_to_its_death(self):
        ending, operations = self.run_program(self.WRITE_TWICE, Moment(5, "kill"))
        self.assertEqual(ending.code, 0, ending)
        self.assertTrue(faults_of_death(ending, operations, Moment(5, "kill")))

    def test_finds_a_process_that_died_elsewhere(self):
        ending, operations = self.run_program(self.WRITE_TWICE, Moment(2, "kill"))
        self.assertTrue(faults_of_death(ending, operations, Moment(3, "kill")))

    def test_refuses_an_order_that_it_does_not_understand(self):
        ending, _ = self.run_program(self.WRITE_TWICE, Moment(1, "explode"))
        self.assertIn("HELIOGRAPH_OPERATION_AT", ending.output)


class Consumer(unittest.TestCase):

    @staticmethod
    def change(seq):
        return {"seq": seq, "cursor": f"epoch-{seq}", "kind": "commit", "entity_kind": "commit", "entity_id": "",
                "commit_seq": seq}

    def faults(self, *numbers):
        follower = FeedFollower(lambda: None, 1)
        for seq in numbers:
            follower.take(self.change(seq), f"epoch-{seq}")
        return follower.faults

    def test_takes_every_number_once(self):
        self.assertEqual(self.faults(1, 2, 3), [])

    def test_finds_a_gap_a_repetition_and_another_order(self):
        for wrong in ((2,), (1, 3), (1, 1), (1, 2, 3, 2)):
            self.assertTrue(self.faults(*wrong), wrong)

    def test_takes_no_half_event(self):
        whole = [b"id: e-1\n", b"event: change\n", b"data: {}\n", b"\n"]
        self.assertEqual([(frame.id, frame.event, frame.data) for frame in frames(whole)], [("e-1", "change", "{}")])
        self.assertEqual(list(frames(whole[:3])), [])
        self.assertEqual(list(frames(whole[:2] + [b"data: {"])), [])


class SoakVerdict(unittest.TestCase):

    def packets(self, stored, fed=3, accepted=(), tried=()):
        soak = types.SimpleNamespace(publications=types.SimpleNamespace(injected=0), pair=types.SimpleNamespace(fed=fed),
                                     asker=types.SimpleNamespace(accepted_packets=set(accepted), tried_packets=set(tried)))
        payload = lambda number: soak_traffic.payload_of(soak_traffic.flood(number))
        observer = {True: soak_traffic.mesh_packets.observer(0), False: soak_traffic.mesh_packets.observer(9)}
        database = types.SimpleNamespace(execute=lambda *_: [(1, payload(number), observer[capture])
                                                             for number, capture in stored])
        return soak_verdict.faults_of_packets(soak, database)

    def test_takes_packets_that_are_stored_once(self):
        capture = [(0, True), (1, True), (2, True)]
        self.assertEqual(self.packets(capture), [])
        self.assertEqual(self.packets(capture + [(77, False)], tried=[77]), [])

    def test_finds_lost_doubled_and_foreign_packets(self):
        capture = [(0, True), (1, True), (2, True)]
        self.assertTrue(self.packets(capture[:2]))
        self.assertTrue(self.packets(capture + capture[:1]))
        self.assertTrue(self.packets(capture + [(3, True)]))
        self.assertTrue(self.packets(capture, accepted=[77], tried=[77]))
        self.assertTrue(self.packets(capture + [(77, False)]))

    def test_finds_files_that_are_applied_in_another_order(self):
        order = lambda *numbers: soak_verdict.faults_of_order(
            None, types.SimpleNamespace(execute=lambda *_: [(number,) for number in numbers]))
        self.assertEqual(order(1, 2, 5), [])
        self.assertTrue(order(1, 3, 2))
        self.assertTrue(order(1, 1))


if __name__ == "__main__":
    BUILT = programs.programs_from_arguments()
    unittest.main()
