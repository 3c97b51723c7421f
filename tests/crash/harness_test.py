#!/usr/bin/env python3
"""The proof that the rules of these tests can fail."""
import sqlite3
import types
import unittest

import database_state
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


if __name__ == "__main__":
    unittest.main()
