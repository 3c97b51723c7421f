#!/usr/bin/env python3
"""A volume without space left: both programs say so, lose nothing that is stored, and go on by themselves when there is
space again: full_disk.py [FOLDER_OF_THE_PROGRAMS].

The volume is a small tmpfs in a mount namespace of the test's own, which ends with it. Needs root and the right to mount.
"""
import ctypes
import errno
import os
import signal
import subprocess
import sys

from support.frames import OBSERVER, packet_line, text_frame
from support.observatory import Observatory
from support.programs import eventually, main
from support.queue_files import QueueFile

KEY = "a-key-of-the-tests-7f3a"
KILOBYTE = 1024
_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _MS_REC, _MS_PRIVATE = 0x20000, 0x4000, 0x40000


def enter_own_mount_namespace():
    """The reason why that cannot be, or None."""
    if os.geteuid() != 0:
        return "needs root, to mount a small volume"
    if _libc.unshare(_CLONE_NEWNS) != 0:
        return "this machine denies a mount namespace of its own"
    if _libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        return "this machine denies to change its mounts"
    return None


DENIED = enter_own_mount_namespace() if __name__ == "__main__" else "is a program of its own"


class FullDisk(Observatory):
    def setUp(self):
        if DENIED:
            self.skipTest(DENIED)
        super().setUp()
        self.write_config({"apiKey": KEY})
        if _libc.mount(b"heliograph-full", self.data.encode(), b"tmpfs", 0, b"size=12m") != 0:
            self.skipTest(f"this machine denies mounts ({os.strerror(ctypes.get_errno())})")
        self.addCleanup(_libc.umount2, self.data.encode(), 2)
        self.ingest(packet_line(text_frame(n)) for n in range(100))

    def free_bytes(self):
        state = os.statvfs(self.data)
        return state.f_bavail * state.f_frsize

    def fill(self, leave=0):
        """Takes all space but `leave` bytes."""
        with open(os.path.join(self.data, "ballast"), "ab", buffering=0) as ballast:
            try:
                while self.free_bytes() > leave:
                    ballast.write(bytes(min(64 * KILOBYTE, self.free_bytes() - leave)))
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC)

    def make_room(self):
        os.unlink(os.path.join(self.data, "ballast"))

    def feed(self, ingestor, first, count):
        ingestor.stdin.write("".join(packet_line(text_frame(n)) + "\n" for n in range(first, first + count)).encode())
        ingestor.stdin.flush()

    def test_packets_wait_for_space_and_are_all_stored_once_there_is_some(self):
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        self.fill(leave=100 * KILOBYTE)
        self.feed(ingestor, 100, 3000)
        eventually("it says what is wrong", lambda: "Is the disk full?" in ingestor.log())
        self.assertTrue(ingestor.running())
        stored = self.count("observations")
        self.assertGreaterEqual(stored, 100, "what was stored is there")
        self.assertEqual(self.value("PRAGMA integrity_check"), "ok")
        self.make_room()
        eventually("all are stored", lambda: self.count("observations") == 3100)
        self.stop(ingestor)
        self.expect_whole()
        self.assertEqual(self.counters().get("duplicates", 0), 0, "none was taken twice")

    def test_the_server_reads_on_refuses_to_publish_and_publishes_when_there_is_space(self):
        server, client = self.start_server(key=KEY)
        client.json("/api/stats")
        # A first one reads what the ledger holds.
        self.assertEqual(self.post(client, 1000).status, 202)
        waiting = self.queue("new")
        self.fill()
        answer = self.post(client, 1001)
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIn("No space left", answer.json()["error"])
        self.assertEqual(client.json("/api/packets?limit=5")["total"], 100)
        self.assertEqual((self.queue("tmp"), self.queue("new")), ([], waiting), "nothing half is left behind")
        self.make_room()
        accepted = self.post(client, 1001)
        self.assertEqual(accepted.status, 202)
        self.start_ingestor()
        self.assertEqual(self.outcome(client, accepted.json()["requestId"])["outcome"], "done")
        self.assertTrue(server.running())

    @staticmethod
    def post(client, number):
        return client.post("/api/packets", {"hex": text_frame(number).hex(), "observer": OBSERVER})

    def test_a_queue_file_waits_for_space_and_is_applied_once(self):
        ingestor = self.start_ingestor()
        ingestor.signal(signal.SIGSTOP)
        lines = "".join(packet_line(text_frame(n)) + "\n" for n in range(1000, 4000))
        file = QueueFile(self, "packet-inject", lines, 1).publish()
        self.fill(leave=60 * KILOBYTE)
        ingestor.signal(signal.SIGCONT)
        eventually("it says that the file stays", lambda: "cannot be dealt with now" in ingestor.log())
        self.assertRegex(ingestor.log(), "full|space")
        self.assertEqual((self.queue("new"), self.queue("failed"), self.count("ledger")), ([file.name], [], 0))
        self.make_room()
        eventually("it is applied", lambda: self.count("ledger") == 1)
        self.assertEqual(self.rows("SELECT id, outcome FROM ledger"), [(file.id, "done")])
        eventually("the file is gone", lambda: not self.queue("new"))
        self.assertEqual(self.count("observations"), 3100)
        self.stop(ingestor)
        self.expect_whole()

    def test_rubbish_is_set_aside_once_there_is_space(self):
        ingestor = self.start_ingestor()
        ingestor.signal(signal.SIGSTOP)
        os.mkdir(os.path.join(self.data, "queue", "new", "folder"))
        self.fill()
        ingestor.signal(signal.SIGCONT)
        eventually("it has tried", lambda: "cannot be dealt with now" in ingestor.log() or self.queue("failed"))
        self.make_room()
        eventually("it is set aside", lambda: not self.queue("new"))
        self.stop(ingestor)
        self.assertIn("folder", " ".join(self.queue("failed")))

    def test_sigterm_on_a_full_disk_ends_the_ingestor_in_time_and_tells_what_is_not_stored(self):
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        self.fill()
        self.feed(ingestor, 100, 200)
        eventually("it says what is wrong", lambda: "Is the disk full?" in ingestor.log())
        code, seconds = ingestor.terminate()
        print(f"SIGTERM on a full disk: exit code {code} after {seconds:.1f} s")
        self.assertLess(seconds, 10)
        self.assertIn("could not be committed", ingestor.log())
        self.make_room()
        self.ingest(packet_line(text_frame(n)) for n in range(100, 300))
        self.assertEqual(self.count("observations"), 300)
        self.expect_whole()

    def test_a_start_on_a_full_disk_says_why_or_waits_and_harms_nothing(self):
        self.fill()
        program = self.start(self.program("ingestor"), "run", "--data", self.data, "--config", self.config, "--mqtt",
                             "mqtt://127.0.0.1:1")
        eventually("it has ended, or is ready", lambda: not program.running() or "Ready: " in program.log())
        if not program.running():
            self.assertNotEqual(program.wait(), 0)
            self.assertRegex(program.log(), "full|space")
        program.terminate()
        self.make_room()
        self.ingest([packet_line(text_frame(5000))])
        self.assertEqual(self.count("observations"), 101)
        self.expect_whole()


if __name__ == "__main__":
    sys.exit(main())
