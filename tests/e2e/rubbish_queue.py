#!/usr/bin/env python3
"""A queue folder with everything in it that does not belong there: the good is applied, the rest is set aside with its
reason, and nothing outside is touched: rubbish_queue.py [FOLDER_OF_THE_PROGRAMS].
"""
import json
import os
import random
import shutil
import socket
import subprocess
import sys

from support import signing
from support.frames import ADVERT, FLOOD, advert_payload, frame, packet_line, text_frame
from support.observatory import Observatory, now_text
from support.programs import eventually, main
from support.queue_files import DAY, QueueFile, inject, new_id


class QueueRubbish(Observatory):
    def setUp(self):
        super().setUp()
        self.key = signing.Key("node")
        self.ingest([packet_line(frame(FLOOD, ADVERT, advert_payload(self.key, name="Node")))])
        self.new = os.path.join(self.data, "queue", "new")
        self.good = 0

    def entry(self, name):
        return os.path.join(self.new, name)

    def add_good(self, sequence):
        """A queue file that brings one observation."""
        self.good += 1
        return inject(self, sequence, packet_line(text_frame(sequence))).publish()

    def reasons(self):
        """The texts beside what was set aside, by the entry's name."""
        texts = {}
        for name in self.queue("failed"):
            if name.endswith(".reason"):
                with open(os.path.join(self.data, "queue", "failed", name), encoding="utf-8") as file:
                    texts[name.removesuffix(".reason")] = file.read()
        return texts

    def expect_good_applied_and_rest_set_aside(self, rest):
        self.expect(0, "ingestor", "apply")
        self.assertEqual(self.queue("new"), [])
        self.assertEqual(self.count("observations"), 1 + self.good)
        reasons = self.reasons()
        self.assertEqual(len(reasons), rest, reasons)
        entries = {name for name in self.queue("failed") if not name.endswith(".reason")}
        self.assertEqual(entries, set(reasons), "each entry has a reason, and each reason an entry")
        for name, text in reasons.items():
            self.assertTrue(text.strip(), name)
            self.assertTrue(name.isprintable() and "/" not in name and not name.startswith((".", "-")), name)
        self.assertEqual(self.value("SELECT count(*) FROM ledger WHERE outcome = 'rejected'"), rest)

    def test_entries_that_are_no_regular_files_are_set_aside_and_links_are_not_followed(self):
        secret = self.write("outside/secret", "stay")
        good = inject(self, 50, packet_line(text_frame(50)))
        kept = self.write("outside/" + good.name, good.content())
        names = [inject(self, n, "x").name for n in range(10, 16)]
        self.add_good(1)
        os.symlink(kept, self.entry(names[0]))
        os.symlink("/nonexistent", self.entry(names[1]))
        os.symlink(".", self.entry("link-to-itself"))
        os.mkfifo(self.entry(names[2]))
        os.mkfifo(self.entry("a fifo"))
        os.makedirs(os.path.join(self.entry(names[3]), "deep", "er"))
        os.mkdir(self.entry("folder"))
        os.symlink(secret, os.path.join(self.entry("folder"), "inner"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("s"))
            os.rename(self.path("s"), self.entry(names[4]))
        self.add_good(99)
        self.expect_good_applied_and_rest_set_aside(8)
        with open(secret, encoding="utf-8") as file:
            self.assertEqual(file.read(), "stay")
        self.assertTrue(os.path.isfile(kept))

    def test_foreign_files_and_odd_names_are_set_aside(self):
        good = inject(self, 7, packet_line(text_frame(7)))
        names = ["README", ".hidden", "-rf", "a b", "x" * 255, "line\nfeed", "\x1b[31mred", "quote'\"`$(id)", "%n%s", "..x",
                 good.name + ".tmp", good.name.replace("packet-inject", "packet-steal"), good.name.lower(), "0" + good.name,
                 "7-" + good.id + ".packet-inject", good.name.replace(good.id, "!" * 26), os.fsdecode(b"\xff\xfe\x80")]
        for name in names:
            with open(self.entry(name), "wb") as file:
                file.write(good.content())
        self.add_good(1)
        self.add_good(2)
        self.expect_good_applied_and_rest_set_aside(len(names))

    def test_each_damage_to_a_file_is_found(self):
        line = packet_line(text_frame(1))
        sequence = iter(range(10, 100))
        damages = []
        def damage(content=None, name=None, kind="packet-inject", payload=None, **header):
            file = QueueFile(self, kind, line + "\n" if payload is None else payload, next(sequence), **header)
            content = content(file) if content else None
            damages.append(file.publish(content, name(file) if name else None))
        damage(lambda f: b"")
        damage(lambda f: b"\n")
        damage(lambda f: f.content()[:-1])
        damage(lambda f: f.content()[:40])
        damage(lambda f: json.dumps(f.header).encode())
        damage(lambda f: f.content() + b"x")
        damage(lambda f: f.content()[:-2] + b"~\n")
        damage(lambda f: b"\xff\xfe\n" + f.payload)
        damage(lambda f: b"[]\n" + f.payload)
        damage(lambda f: b"{" * 5000 + b"\n")
        damage(lambda f: b" " * 9000 + f.content())
        damage(lambda f: os.urandom(5000))
        damage(lambda f: bytes(100_000))
        damage(lambda f: f.content().replace(b'"actor"', b'"actor": "a", "actor"'))
        for member in inject(self, 1, "x").header:
            damage(lambda f, m=member: json.dumps({k: v for k, v in f.header.items() if k != m}).encode() + b"\n" + f.payload)
        damage(**{"surprise": 1})
        for member, value in (("format", 2), ("format", "1"), ("kind", "packet-steal"), ("stream", ""), ("stream", "x" * 300),
                              ("stream", "a\nb"), ("epoch", None), ("branch_id", 0), ("branch_id", -1), ("watermark", -1),
                              ("watermark", 1.5), ("watermark", 2**63), ("base_commit_seq", -1), ("payload_bytes", -1),
                              ("payload_bytes", 2**62), ("created_at", "yesterday"), ("created_at", 5), ("actor", ["x"]),
                              ("instance", ""), ("payload_sha256", "00"), ("payload_sha256", "0" * 64)):
            damage(lambda f: f.content(), lambda f: f.name.replace("packet-steal", "packet-inject"), **{member: value})
        damage(lambda f: f.content(), lambda f: f"{f.header['producer_seq'] + 500:020}-{f.id}.packet-inject")
        damage(lambda f: f.content(), lambda f: f.name.replace(f.id, new_id()))
        damage(lambda f: f.content(), lambda f: f.name.replace("packet-inject", "prune-request"))
        for payload in ("", "\n", "{}\n", "no json\n", line + "\n{\n", b"\xff\n", "[" * 100_000 + "\n"):
            damage(payload=payload)
        for payload in ("", "[]", "{}", '{"public_keys": 5}', '{"public_keys": ["x"]}', '{"public_keys": [], "reason": 5}',
                        '{"public_keys": [null]}', "{" * 50_000):
            damage(kind="prune-request", payload=payload)
        node = {"public_key": self.key.public.hex(), "status": "confirmed", "evidence": "advert", "max_hash_size": 2}
        for entry in ({**node, "status": "sure"}, {**node, "evidence": None}, {**node, "public_key": "x"},
                      {**node, "probability": 2}, {**node, "max_hash_size": 9}, 5, None):
            damage(kind="multibyte-snapshot", payload=json.dumps({"nodes": [entry]}))
        damage(kind="multibyte-snapshot", payload=json.dumps({"nodes": [node, node]}))
        self.add_good(1)
        self.add_good(1000)
        self.expect_good_applied_and_rest_set_aside(len(damages))
        self.assertEqual(self.rows("SELECT multibyte_sup, multibyte_evidence FROM nodes"), [(0, None)])

    def test_a_huge_file_is_refused_unread_and_leaves_its_reason_alone(self):
        file = inject(self, 10, "x")
        with open(self.entry(file.name), "wb") as sparse:
            sparse.truncate(8 << 30)
        self.add_good(1)
        self.expect(0, "ingestor", "apply")
        self.assertEqual((self.queue("new"), self.count("observations")), ([], 2))
        # It is larger than all that `failed` may hold.
        self.assertEqual(self.queue("failed"), [file.name + ".reason"])
        self.assertIn("8589934592", self.reasons()[file.name])

    def test_a_thousand_random_files_are_set_aside_within_the_limit_of_failed(self):
        source = random.Random(5)
        for _ in range(1000):
            name = "".join(chr(source.choice(range(32, 127))) for _ in range(12)).replace("/", "_").lstrip(".") + "x"
            with open(self.entry(name), "wb") as file:
                file.write(source.randbytes(source.randrange(300)))
        self.add_good(1)
        self.expect(0, "ingestor", "apply")
        self.assertEqual((self.queue("new"), self.count("observations")), ([], 2))
        self.assertLessEqual(len([name for name in self.queue("failed") if not name.endswith(".reason")]), 100)
        self.assertEqual(len(self.reasons()), len(self.queue("failed")) // 2)

    def test_rubbish_does_not_hold_up_a_running_ingestor_and_shows_in_the_health(self):
        self.start_ingestor()
        _, client = self.start_server()
        os.mkfifo(self.entry("a fifo"))
        os.symlink("/", self.entry("root"))
        self.add_good(1)
        eventually("the good file is applied", lambda: self.count("observations") == 2)
        eventually("the rest is set aside", lambda: not self.queue("new"))
        health = client.json("/api/healthz")
        self.assertEqual(health["queue"], {"waiting": 0, "failed": 2})
        self.assertEqual(health["last_failure"]["outcome"], "rejected")

    def test_a_server_publishes_beside_rubbish(self):
        os.mkfifo(self.entry("a fifo"))
        os.mkdir(self.entry("folder"))
        self.write_config({})
        _, client = self.start_server("--insecure-writes")
        client.json("/api/stats")
        observer = "AB" * 32
        accepted = client.post("/api/packets", {"hex": text_frame(1).hex(), "observer": observer})
        self.assertEqual(accepted.status, 202)
        self.start_ingestor()
        self.assertEqual(self.outcome(client, accepted.json()["requestId"])["outcome"], "done")

    def test_a_queue_that_is_removed_under_the_ingestor_is_told_and_packets_go_on(self):
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        shutil.rmtree(os.path.join(self.data, "queue"))
        eventually("it says so and what to do", lambda: "restart to make it again" in ingestor.log())
        ingestor.stdin.write(packet_line(text_frame(1)).encode() + b"\n")
        ingestor.stdin.flush()
        eventually("packets go on", lambda: self.count("observations") == 2)
        self.stop(ingestor)
        self.start_ingestor()
        self.add_good(2)
        eventually("and files again after a restart", lambda: self.count("observations") == 3)

    def test_files_of_tomorrow_are_applied_and_those_of_a_fortnight_ago_are_not(self):
        inject(self, 1, packet_line(text_frame(1)), created_at=now_text(+DAY)).publish()
        inject(self, 2, packet_line(text_frame(2)), created_at=now_text(-13 * DAY)).publish()
        inject(self, 3, packet_line(text_frame(3)), created_at=now_text(-15 * DAY)).publish()
        self.expect(0, "ingestor", "apply")
        self.assertEqual([outcome for outcome, in self.rows("SELECT outcome FROM ledger ORDER BY producer_seq")],
                         ["done", "done", "stale"])
        self.expect_whole()


if __name__ == "__main__":
    sys.exit(main())
