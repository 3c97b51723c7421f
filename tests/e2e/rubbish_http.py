#!/usr/bin/env python3
"""What the network may send to the server: wrong values, endless requests, slow and silent clients, noise, crowds. It
stays bounded, answers others meanwhile, and answers afterwards: rubbish_http.py [FOLDER_OF_THE_PROGRAMS].
"""
import concurrent.futures
import contextlib
import random
import resource
import select
import socket
import sys
import time
import unittest
import urllib.parse

from support import signing
from support.frames import ADVERT, FLOOD, OBSERVER, advert_payload, frame, packet_line, text_frame
from support.observatory import Observatory
from support.programs import eventually, main

KEY = "a-key-of-the-tests-7f3a"
MEGABYTE = 1 << 20
ALLOWED_GROWTH = 150 * MEGABYTE
LISTS = ("/api/nodes", "/api/multibyte", "/api/packets", "/api/observers")


class HttpRubbish(Observatory):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.configure({})
        adverts = [frame(FLOOD, ADVERT, advert_payload(signing.Key(n), name=f"Repeater {n}")) for n in range(30)]
        self.ingest(packet_line(raw, f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z") for n, raw in
                    enumerate(adverts + [text_frame(n) for n in range(970)]))
        self.restart()

    def configure(self, http):
        self.write_config({"apiKey": KEY, "http": http})

    def restart(self):
        self.server, self.client = self.start_server(key=KEY)
        eventually("all is read", lambda: self.client.json("/api/healthz")["progress"] == "complete")
        self.resident_before = self.server.resident_bytes()

    def tearDown(self):
        """Whatever came, the server lives, has not grown, and answers."""
        self.assertTrue(self.server.running(), "the server has died")
        growth = self.server.resident_bytes() - self.resident_before
        self.assertLess(growth, ALLOWED_GROWTH, f"it grew by {growth // MEGABYTE} MB")
        def answers():
            with contextlib.suppress(OSError):
                return self.client.get("/api/nodes", timeout=5).status == 200
        eventually("it answers afterwards", answers, pause=0.1)
        self.assertEqual(self.client.json("/api/nodes")["total"], 30)
        self.stop(self.server)
        super().tearDown()

    # --- Sockets ---

    def connect(self, timeout=30):
        opened = socket.create_connection(("127.0.0.1", self.client.port), timeout=timeout)
        self.addCleanup(opened.close)
        return opened

    def send_raw(self, data, timeout=30):
        """The status of the answer to these bytes, None when the connection ends without one."""
        with socket.create_connection(("127.0.0.1", self.client.port), timeout=timeout) as opened:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                opened.sendall(data)
            return self.status_of(opened)

    @staticmethod
    def status_of(opened):
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while b"\r\n" not in answer:
                got = opened.recv(4096)
                if not got:
                    break
                answer += got
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else None

    def flood(self, start, block, limit):
        """Sends `start`, then `block` for ever; how many bytes went before the server had enough, and its status."""
        with socket.create_connection(("127.0.0.1", self.client.port), timeout=30) as opened:
            sent = 0
            try:
                opened.sendall(start)
                while sent < limit and not select.select([opened], [], [], 0)[0]:
                    opened.sendall(block)
                    sent += len(block)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return sent, self.status_of(opened)

    # --- Values ---

    def test_page_sizes_and_offsets_of_any_kind_give_a_page_or_a_400(self):
        values = ("-1", "0", "1", "99999999999999999999999", "-99999999999999999999999", "abc", "", "1e9", "0x10", "%00", "1;2",
                  "+5", "NaN", "٣", "9" * 1000, "-0", "1.5")
        for path in LISTS:
            for name in ("limit", "offset", "cursor", "since", "status", "region", "type", "order", "sortBy", "role"):
                for value in values:
                    answer = self.client.get(f"{path}?{name}={urllib.parse.quote(value, safe='%')}")
                    self.assertIn(answer.status, (200, 400), f"{path}?{name}={value}: {answer.body[:200]}")
                    self.assertTrue(answer.json() is not None)

    def test_a_page_is_never_larger_than_the_maximum_and_says_how_many_there_are(self):
        for path, plural, maximum in (("/api/nodes", "nodes", 2000), ("/api/packets", "packets", 10000)):
            page = self.client.json(path + "?limit=999999999")
            self.assertLessEqual(len(page[plural]), min(maximum, page["total"]))
            self.assertEqual(self.client.json(path + "?limit=-5")["total"], page["total"])
            self.assertEqual(self.client.json(path + "?offset=9223372036854775807")[plural], [])

    def test_forged_cursors_are_refused(self):
        page = self.client.json("/api/multibyte?limit=5")
        good = page["next"]
        self.assertEqual(len(self.client.json("/api/multibyte?limit=5&cursor=" + good)["nodes"]), 5)
        for cursor in (good[:-1], good + "x", good[::-1], "W10", "bnVsbA", "A" * 5000, "..%2F..%2F", "%ff%fe"):
            self.assertEqual(self.client.get("/api/multibyte?cursor=" + cursor).status, 400, cursor)
        self.assertEqual(self.client.get("/api/multibyte?as_of=01ARZ3NDEKTSV4RRFFQ69G5FAV").status, 404)

    def test_paths_and_methods_that_do_not_exist_are_told_so(self):
        for path in ("/api/nothing", "/../../etc/passwd", "/api/%2e%2e/%2e%2e/etc/passwd", "/api/nodes/" + "x" * 64, "//",
                     "/api/nodes/" + "0" * 64, "/api/packets/-1", "/api/packets/" + "f" * 16, "/api/packets/%00",
                     "/api/requests/" + "0" * 26, "/api/multibyte/" + "é" * 32):
            answer = self.client.get(path.encode("latin-1", "ignore").decode("latin-1").replace("é", "%C3%A9"))
            self.assertIn(answer.status, (400, 404), path)
        for method in ("DELETE", "PUT", "PATCH", "TRACE", "PROPFIND"):
            self.assertIn(self.client.request(method, "/api/nodes").status, (400, 404, 405, 501), method)

    def test_bodies_of_odd_json_are_refused(self):
        for body in (b"[" * 200_000, b'{"hex":' * 20_000, b'{"hex": "' + b"00" * 100_000 + b'"}', b'{"hex": 1e99999}',
                     b'{"hex": "\xed\xa0\x80"}', b"\0" * 1000, b'{"hex": "\\ud800"}'):
            for path in ("/api/packets", "/api/decode"):
                self.assertIn(self.client.post(path, body).status, (400, 413), body[:20])

    def test_bodies_of_the_largest_size_cost_no_more_than_their_bytes(self):
        largest = 4 * MEGABYTE
        deep, flat = b"[" * largest, b"[" + b"{}," * (largest // 3 - 10) + b"{}]"
        peak_before = self.server.peak_bytes()
        with concurrent.futures.ThreadPoolExecutor(4) as crowd:
            for path in ("/api/decode", "/api/packets", "/api/admin/prune-geo-filter?confirm=true"):
                answers = list(crowd.map(lambda body: self.client.post(path, body).status, (deep, flat) * 2))
                self.assertLessEqual(set(answers), {400, 413}, path)
        growth = self.server.peak_bytes() - peak_before
        print(f"12 bodies of {largest // MEGABYTE} MB, four at once, took {growth // MEGABYTE} MB")
        self.assertLess(growth, ALLOWED_GROWTH)

    # --- Requests without end ---

    def test_a_body_above_the_limit_is_refused_before_it_is_read(self):
        head = b"POST /api/packets HTTP/1.1\r\nHost: x\r\nX-API-Key: " + KEY.encode() + b"\r\n"
        for length in (b"5000000", b"99999999999", b"18446744073709551616", b"-1", b"1e3", b"0x10", b"1, 1"):
            status = self.send_raw(head + b"Content-Length: " + length + b"\r\n\r\n")
            self.assertIn(status, (400, 413), length)
        sent, status = self.flood(head + b"Content-Length: 2000000000\r\n\r\n", b"x" * 65536, 300 * MEGABYTE)
        self.assertIn(status, (None, 413))
        self.assertLess(sent, 32 * MEGABYTE)

    def test_a_chunked_body_without_end_is_refused_at_the_limit(self):
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        sent, status = self.flood(b"POST /api/packets HTTP/1.1\r\nHost: x\r\nX-API-Key: " + KEY.encode() +
                                  b"\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, 300 * MEGABYTE)
        self.assertIn(status, (None, 413))
        self.assertLess(sent, 32 * MEGABYTE)

    def test_headers_without_end_are_refused_at_the_limit(self):
        for block in (b"X-Header: " + b"y" * 1000 + b"\r\n", b"y" * 1000, b"\t folded\r\n" * 100):
            sent, status = self.flood(b"GET /api/nodes HTTP/1.1\r\nHost: x\r\n", block, 300 * MEGABYTE)
            self.assertIn(status, (None, 400, 431))
            self.assertLess(sent, 16 * MEGABYTE)
        sent, status = self.flood(b"GET /", b"a" * 1000, 300 * MEGABYTE)
        self.assertIn(status, (None, 400, 414, 431))
        self.assertLess(sent, 16 * MEGABYTE)

    def test_an_ambiguous_request_is_refused_and_smuggles_nothing(self):
        hidden = b"GET /api/stats HTTP/1.1\r\nHost: x\r\n\r\n"
        for headers in (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
                        b"Transfer-Encoding: chunked, identity\r\n", b"Transfer-Encoding: xchunked\r\n",
                        b"Content-Length : 5\r\n", b"Content-Length: +5\r\n", b"X: a\rContent-Length: 0\r\n"):
            with socket.create_connection(("127.0.0.1", self.client.port), timeout=30) as opened:
                opened.sendall(b"POST /api/decode HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n0\r\n\r\n" + hidden)
                opened.shutdown(socket.SHUT_WR)
                answers = b""
                with contextlib.suppress(ConnectionResetError):
                    while got := opened.recv(65536):
                        answers += got
            self.assertNotIn(b"totalTransmissions", answers, headers)

    def test_bad_chunks_are_refused(self):
        for chunks in (b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"5;" + b"x" * 100_000,
                       b"1\r\na\r\n" * 20_000 + b"zz\r\n"):
            status = self.send_raw(b"POST /api/decode HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                                   b"Connection: close\r\n\r\n" + chunks + b"\r\n")
            self.assertIn(status, (None, 400, 408, 413, 431), chunks[:10])

    # --- Clients that are slow, silent or many ---

    def answers_quickly(self):
        start = time.monotonic()
        status = self.client.get("/api/nodes", timeout=20).status
        return status, time.monotonic() - start

    def test_slow_clients_do_not_hold_up_others_and_are_cut_off(self):
        slow = [self.connect() for _ in range(100)]
        for n, opened in enumerate(slow):
            opened.sendall(b"GET /api/nodes HTTP/1.1\r\nHost: x\r\n" if n % 2 else
                           b"POST /api/decode HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        longest = 0
        open_ones = set(slow)
        deadline = time.monotonic() + 60
        while open_ones and time.monotonic() < deadline:
            for opened in list(open_ones):
                try:
                    opened.sendall(b"x")
                    if select.select([opened], [], [], 0)[0]:
                        open_ones.discard(opened)
                except OSError:
                    open_ones.discard(opened)
            status, seconds = self.answers_quickly()
            self.assertEqual(status, 200)
            longest = max(longest, seconds)
            select.select([], [], [], 0.3)
        print(f"while 100 clients dripped, the slowest answer took {longest * 1000:.0f} ms")
        self.assertFalse(open_ones, "each is cut off although it keeps dripping")

    def test_clients_that_never_read_do_not_hold_up_others(self):
        request = b"GET /api/packets?limit=1000&expand=observations HTTP/1.1\r\nHost: x\r\n\r\n"
        for _ in range(60):
            deaf = socket.socket()
            self.addCleanup(deaf.close)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", self.client.port))
            deaf.sendall(request * 20)
        for _ in range(20):
            self.assertEqual(self.answers_quickly()[0], 200)

    def test_requests_that_are_cut_at_every_place_are_forgotten(self):
        request = (b"POST /api/decode HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n" + b'{"hex": "110000"}')
        for cut in range(len(request)):
            with socket.create_connection(("127.0.0.1", self.client.port), timeout=30) as opened:
                opened.sendall(request[:cut])
                if cut % 2:
                    opened.shutdown(socket.SHUT_WR)

    def test_ten_thousand_short_noises_stop_nothing(self):
        source = random.Random(7)
        starts = (b"", b"GET ", b"GET / HTTP/1.1\r\n", b"POST /api/packets HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
                  b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /api/nodes?")
        start = time.monotonic()
        refused = 0
        for _ in range(10_000):
            try:
                with socket.create_connection(("127.0.0.1", self.client.port), timeout=30) as opened:
                    opened.sendall(source.choice(starts) + source.randbytes(source.randrange(60)))
            except ConnectionError:
                refused += 1
        print(f"10 000 noises in {time.monotonic() - start:.1f} s, {refused} were cut off while they sent")

    def test_a_crowd_of_connections_is_bounded_and_does_not_lock_others_out_for_ever(self):
        crowd = []
        with contextlib.suppress(OSError):
            for _ in range(3000):
                crowd.append(self.connect(timeout=5))
        self.assertGreater(len(crowd), 1000)
        print(f"{len(crowd)} connections at once: the server has {self.server.resident_bytes() // MEGABYTE} MB")
        start = time.monotonic()
        def answered():
            with contextlib.suppress(OSError):
                return self.client.get("/api/nodes", timeout=5).status == 200
        eventually("silent ones make room, though nobody closes them", answered, seconds=60, pause=0.2)
        print(f"answered after {time.monotonic() - start:.1f} s")

    def test_the_limits_of_the_configuration_are_those_of_the_server(self):
        self.stop(self.server)
        self.configure({"maxBodyBytes": 1024, "maxHeaderBytes": 2048, "maxConnections": 8, "requestTimeoutSeconds": 1,
                        "idleTimeoutSeconds": 3600})
        self.restart()
        self.assertEqual(self.client.post("/api/decode", b"{" + b" " * 2000 + b"}").status, 413)
        self.assertEqual(self.client.get("/api/nodes", headers={"X-Long": "y" * 3000}).status, 431)
        opened = self.connect()
        opened.sendall(b"GET /api/nodes HTTP/1.1\r\n")
        self.assertIn(self.status_of(opened), (None, 408))
        # Nothing but the bound on connections ends silent ones within the hour.
        crowd = [self.connect() for _ in range(40)]
        def ended():
            return len(select.select(crowd, [], [], 0)[0]) >= 40 - 8
        eventually("all but 8 are refused, or make room", ended)

    def test_the_queue_is_bounded_while_the_ingestor_is_away(self):
        statuses = set()
        for number in range(1100):
            answer = self.client.post("/api/packets", {"hex": text_frame(number).hex(), "observer": OBSERVER})
            statuses.add(answer.status)
            if answer.status != 202:
                break
        self.assertEqual(statuses, {202, 503})
        self.assertIn("Retry-After", answer.headers)
        self.assertLessEqual(len(self.queue("new")), 1000)


if __name__ == "__main__":
    sys.exit(main())
