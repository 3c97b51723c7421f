#!/usr/bin/env python3
"""The two programs beside each other: starts and ends in every order, refusals, reading and restoring:
pair.py [FOLDER_OF_THE_PROGRAMS].
"""
import contextlib
import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import time

from support.asking import KEY, nodes, post_packet
from support.frames import packet_line, text_frame
from support.observatory import Observatory
from support.programs import ROOT, eventually, main


class Starting(Observatory):
    def test_a_server_that_is_first_says_what_is_missing_and_recovers_by_itself(self):
        server, client = self.start_server()
        for path in ("/api/readyz", "/api/nodes", "/api/multibyte", "/api/stats"):
            answer = client.get(path)
            self.assertEqual(answer.status, 503, path)
            self.assertIn("heliograph.db", " ".join(answer.json()["missing"]), path)
        health = client.get("/api/healthz")
        self.assertEqual((health.status, health.json()["ready"]), (503, False))
        self.start_ingestor()
        eventually("the server finds the database", lambda: client.get("/api/readyz").status == 200)
        self.assertEqual(client.json("/api/nodes")["total"], 0)
        self.assertTrue(server.running())

    def test_a_table_that_is_missing_is_named_and_its_return_is_noticed(self):
        self.expect(0, "ingestor", "migrate")
        create = self.value("SELECT sql FROM sqlite_schema WHERE name = 'recovery_audit'")
        self.edit_database("DROP TABLE recovery_audit")
        _, client = self.start_server()
        self.assertIn("table recovery_audit", client.get("/api/nodes").json()["missing"])
        self.assertIn("recovery_audit", self.expect(1, "server", "check"))
        self.edit_database(create)
        eventually("the server serves", lambda: client.get("/api/nodes").status == 200)

    def test_the_routes_and_parameters_that_readme_lists_are_there(self):
        self.start_ingestor()
        _, client = self.start_server()
        eventually("the server serves", lambda: client.get("/api/readyz").status == 200)
        paths = {re.sub(r"{[^}]*}", "{}", path): operations for path, operations in client.json("/api/spec")["paths"].items()}
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
            listed = readme.read().split("## The API in short")[1].split("```")[1].strip().split("\n")
        for line in listed:
            routes = re.findall(r"(?:((?:GET|POST|DELETE)(?:, (?:POST|DELETE))*) +)?(/api/[\w/{}|.-]+)", line)
            methods = "GET"
            taken = set()
            for named, path in routes:
                methods = named or methods
                choices = re.search(r"{(\w+(?:\|\w+)+)}", path)
                for choice in choices.group(1).split("|") if choices else [""]:
                    one = re.sub(r"{[^}]*}", "{}", path.replace(choices.group(0), choice) if choices else path)
                    for method in methods.lower().split(", "):
                        self.assertIn(method, paths.get(one, {}), f"{method} {one} of: {line}")
                        taken |= {parameter["name"] for parameter in paths[one][method].get("parameters", [])}
            self.assertLessEqual(set(re.findall(r"[?&](\w+)=", line)), taken, line)

    def test_an_ingestor_that_is_first_is_found_by_the_server(self):
        self.start_ingestor()
        _, client = self.start_server()
        self.assertEqual(client.json("/api/nodes")["total"], 0)
        self.assertEqual(client.json("/api/healthz")["ingestor"]["alive"], True)

    def test_sigterm_ends_each_with_0_within_10_s_although_connections_are_open(self):
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        server, client = self.start_server()
        client.json("/api/stats")
        with socket.create_connection(("127.0.0.1", client.port)) as idle, \
                socket.create_connection(("127.0.0.1", client.port)) as half:
            idle.sendall(b"GET /api/stats HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(idle.recv(1))
            half.sendall(b"POST /api/packets HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
            print(f"SIGTERM: server {self.stop(server):.2f} s, ingestor {self.stop(ingestor):.2f} s")
        self.assertIsNotNone(self.value("SELECT stopped_at FROM process WHERE role = 'ingestor'"))

    def test_what_the_ingestor_has_read_is_committed_when_it_is_told_to_stop(self):
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        lines = [packet_line(text_frame(n)) + "\n" for n in range(500)]
        ingestor.stdin.write("".join(lines).encode())
        ingestor.stdin.flush()
        eventually("it has begun", lambda: self.count("observations") > 0)
        self.stop(ingestor)
        self.expect_whole()
        stored = self.count("observations")
        self.ingest(line.rstrip() for line in lines)
        self.assertEqual(self.count("observations"), 500)
        self.assertEqual(self.counters()["duplicates"], stored, "nothing was stored twice")


class Refusing(Observatory):
    def test_a_second_ingestor_ends_with_3_and_says_why_and_reading_commands_work(self):
        self.start_ingestor()
        for arguments in (["run", "--once", "--capture", "/dev/null"], ["migrate"], ["apply"]):
            said = self.expect(3, "ingestor", *arguments)
            self.assertIn("Another ingestor holds the volume", said)
        copy = self.path("copy.db")
        self.expect(0, "ingestor", "check")
        self.expect(0, "ingestor", "backup", copy)
        self.expect(3, "ingestor", "restore", copy)

    def test_a_second_server_and_an_analysis_beside_one_end_with_3_and_say_why(self):
        self.expect(0, "ingestor", "migrate")
        self.start_server()
        for arguments in (["run", "--listen", "127.0.0.1:0"], ["analyze"]):
            self.assertRegex(self.expect(3, "server", *arguments), "server.lock|holds|another")
        self.expect(0, "server", "check")

    def test_a_lock_ends_with_its_holder_even_by_kill_9(self):
        self.start_ingestor().kill()
        self.expect(0, "ingestor", "apply")
        self.start_server()[0].kill()
        self.expect(0, "server", "analyze")

    def expect_refusal_by_both(self, reason):
        for program, arguments in (("ingestor", ["run", "--once", "--capture", "/dev/null"]), ("ingestor", ["migrate"]),
                                   ("ingestor", ["apply"]), ("ingestor", ["check"]),
                                   ("server", ["run", "--listen", "127.0.0.1:0"]), ("server", ["analyze"]),
                                   ("server", ["check"])):
            with self.subTest(program=program, command=arguments[0]):
                self.assertRegex(self.expect(4, program, *arguments), reason)

    def test_a_newer_database_is_refused_by_both_with_4_and_stays_as_it_was(self):
        self.ingest(nodes(1))
        self.edit_database("PRAGMA user_version = 9999")
        self.expect_refusal_by_both("9999")
        self.assertEqual(self.value("PRAGMA user_version"), 9999)
        self.assertEqual(self.count("nodes"), 1)

    def test_a_foreign_database_is_refused_by_both_with_4_and_stays_as_it_was(self):
        os.makedirs(os.path.dirname(self.database))
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.executescript("CREATE TABLE recipes(name); INSERT INTO recipes VALUES('soup')")
        self.expect_refusal_by_both("not made by Heliograph")
        self.assertEqual(self.rows("SELECT name FROM sqlite_schema"), [("recipes",)])

    def write_no_database(self):
        os.makedirs(os.path.dirname(self.database))
        text = b"The diary of a broker. " * 500
        with open(self.database, "wb") as file:
            file.write(text)
        return text

    def test_a_file_that_is_no_database_stays_as_it_was_and_is_never_served(self):
        text = self.write_no_database()
        for command in (["run", "--once", "--capture", "/dev/null"], ["migrate"], ["apply"], ["check"]):
            self.assertNotEqual(self.command("ingestor", *command).returncode, 0)
        for command in (["analyze"], ["check"]):
            self.assertNotEqual(self.command("server", *command).returncode, 0)
        with open(self.database, "rb") as file:
            self.assertEqual(file.read(), text)

    def test_a_file_that_is_no_database_is_foreign_and_refused_with_4(self):
        self.write_no_database()
        self.assertEqual([self.command("ingestor", "migrate").returncode, self.command("server", "check").returncode],
                         [4, 4])

    def test_a_running_server_ends_with_4_when_a_newer_database_takes_the_place(self):
        server, client = self.start_server()
        self.assertEqual(client.get("/api/readyz").status, 503)
        self.expect(0, "ingestor", "migrate")
        self.edit_database("PRAGMA user_version = 9999")
        eventually("it ends", lambda: not server.running())
        self.assertEqual(server.wait(), 4)

    def test_a_server_that_serves_refuses_a_database_that_became_newer_and_ends_with_4(self):
        self.ingest(nodes(1))
        server, client = self.start_server()
        self.assertEqual(client.json("/api/nodes")["total"], 1)
        self.edit_database("PRAGMA user_version = 9999")
        eventually("it ends", lambda: not server.running())
        self.assertEqual(server.wait(), 4)

    def test_usage_errors_end_with_2_and_say_what_to_do(self):
        broken = self.write("broken.json", '{"apiKey": ')
        weak = self.write("weak.json", '{"apiKey": "short"}')
        for program, *arguments in (
                ("ingestor", "run", "--nonsense"), ("ingestor", "dance"), ("ingestor", "run", "--mqtt", "gopher://x"),
                ("ingestor", "run", "--mqtt", "mqtt://user:secret@127.0.0.1"),
                ("ingestor", "run", "--once", "--mqtt", "mqtt://127.0.0.1"), ("ingestor", "run", "--once"),
                ("ingestor", "run", "--once", "--capture", self.path("absent")),
                ("ingestor", "run", "--once", "--capture", self.folder), ("ingestor", "restore", self.path("absent.db")),
                ("ingestor", "run", "--once", "--capture", "/dev/null", "--config", broken),
                ("ingestor", "run", "--config", self.path("absent.json")),
                ("server", "run", "--nonsense"), ("server", "dance"), ("server", "run", "--listen", "nowhere"),
                ("server", "run", "--listen", "127.0.0.1:99999"), ("server", "run", "--config", broken),
                ("server", "run", "--listen", "0.0.0.0:0", "--insecure-writes"), ("server", "run", "--config", weak)):
            with self.subTest(program=program, arguments=arguments):
                said = self.expect(2, program, *arguments, config=False)
                self.assertTrue(said.strip())
                self.assertNotIn("secret", said)
        for program in ("ingestor", "server"):
            for arguments in ([], ["run"]):
                done = subprocess.run([self.program(program), *arguments], capture_output=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 2, (program, arguments))

    def test_check_ends_with_1_and_names_what_is_missing_or_wrong(self):
        self.assertIn("missing", self.expect(1, "ingestor", "check"))
        self.assertIn("heliograph.db", self.expect(1, "server", "check"))
        self.expect(0, "ingestor", "apply")
        self.expect(0, "server", "check")
        self.expect_whole()
        with open(os.path.join(self.data, "queue", "new", "intruder"), "wb"):
            pass
        self.expect(0, "ingestor", "apply")
        self.assertIn(".reason", self.expect(1, "ingestor", "check"))


class Reading(Observatory):
    def test_the_server_has_the_database_open_for_reading_alone(self):
        self.ingest(nodes(3))
        self.start_ingestor()
        server, client = self.start_server()
        self.assertEqual(client.json("/api/nodes")["total"], 3)
        modes = {}
        for number in os.listdir(f"/proc/{server.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{server.pid}/fd/{number}")
                with open(f"/proc/{server.pid}/fdinfo/{number}", encoding="ascii") as file:
                    flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
                modes.setdefault(os.path.basename(target), set()).add(flags & os.O_ACCMODE)
        # Of the WAL files SQLite takes what the folder grants, whatever the mode; tests/split has the folder read-only.
        self.assertEqual(modes["heliograph.db"], {os.O_RDONLY})

    def test_without_the_ingestor_the_server_serves_and_says_how_old_the_data_is(self):
        self.ingest(nodes(3))
        ingestor = self.start_ingestor()
        _, client = self.start_server()
        eventually("the ingestor is seen alive", lambda: client.json("/api/healthz")["ingestor"]["alive"])
        self.stop(ingestor)
        self.assertEqual(client.json("/api/nodes")["total"], 3)
        health = client.json("/api/healthz")
        self.assertEqual((health["status"], health["ingestor"]["alive"]), ("ok", False))
        self.assertIsNotNone(health["ingestor"]["stopped_at"])
        age = time.time() - 1_767_225_600  # of the one moment at which all was heard
        self.assertAlmostEqual(health["data_age_seconds"], age, delta=120)

    def test_an_ingestor_that_was_killed_is_called_dead_after_some_silence(self):
        ingestor = self.start_ingestor()
        _, client = self.start_server()
        eventually("the ingestor is seen alive", lambda: client.json("/api/healthz")["ingestor"]["alive"])
        ingestor.kill()
        eventually("it is called dead", lambda: not client.json("/api/healthz")["ingestor"]["alive"], pause=0.2)

    def test_queue_folders_may_be_written_by_the_group_and_by_nobody_else(self):
        self.expect(0, "ingestor", "migrate")
        self.start_ingestor()
        for folder in ("tmp", "new", "failed"):
            mode = os.stat(os.path.join(self.data, "queue", folder)).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o2770, folder)


class Restoring(Observatory):
    def test_a_backup_of_a_busy_database_is_whole(self):
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        copy = self.path("copy.db")
        ingestor.stdin.write("".join(packet_line(text_frame(n)) + "\n" for n in range(20_000)).encode())
        ingestor.stdin.flush()
        eventually("it has begun", lambda: self.count("observations") > 0)
        self.expect(0, "ingestor", "backup", copy)
        self.stop(ingestor)
        self.data = self.path("restored")
        self.expect(0, "ingestor", "restore", copy)
        self.assertGreater(self.count("observations"), 0)
        self.expect(0, "ingestor", "apply")
        self.expect_whole()

    def test_a_running_server_follows_a_restored_database_and_what_it_asked_of_the_old_one_is_refused(self):
        self.write_config({"apiKey": KEY})
        copy = self.path("copy.db")
        self.ingest(nodes(2))
        self.expect(0, "ingestor", "backup", copy)
        self.ingest(nodes(5))
        server, client = self.start_server(key=KEY)
        self.assertEqual(client.json("/api/nodes")["total"], 5)
        request = post_packet(client, text_frame(1)).json()["requestId"]
        epoch = self.value("SELECT value FROM meta WHERE key = 'epoch'")
        self.expect(0, "ingestor", "restore", copy)
        self.assertNotEqual(self.value("SELECT value FROM meta WHERE key = 'epoch'"), epoch)
        eventually("the server serves the restored nodes", lambda: client.json("/api/nodes")["total"] == 2)
        self.start_ingestor()
        self.assertEqual(self.outcome(client, request)["outcome"], "wrong_epoch")
        accepted = post_packet(client, text_frame(2)).json()
        self.assertEqual(self.outcome(client, accepted["requestId"])["outcome"], "done")
        eventually("it is served", lambda: client.get(f"/api/packets/{accepted['hash']}").status == 200)
        self.assertTrue(server.running())


if __name__ == "__main__":
    sys.exit(main())
