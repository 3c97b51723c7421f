#!/usr/bin/env python3
"""What people ask of the ingestor through the server, and what becomes of it: posted.py [FOLDER_OF_THE_PROGRAMS]."""
import concurrent.futures
import sys
import time

from support import signing
from support.asking import KEY, nodes, post_packet
from support.frames import ADVERT, FLOOD, OBSERVER, advert_payload, frame, packet_line, text_frame
from support.observatory import Observatory, now_text, quantiles
from support.programs import eventually, main
from support.queue_files import DAY, QueueFile, inject


class Asking(Observatory):
    def setUp(self):
        super().setUp()
        self.write_config({"apiKey": KEY})

    def test_a_posted_packet_is_pending_without_the_ingestor_and_then_done_and_visible(self):
        self.expect(0, "ingestor", "migrate")
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        raw = text_frame(1, path=b"\xaa\xbb\xcc\xdd", hash_size=2)
        accepted = post_packet(client, raw, snr=6.25, rssi=-91, region="sfo")
        self.assertEqual(accepted.status, 202, accepted.body)
        request = accepted.json()["requestId"]
        self.assertEqual(accepted.json()["statusUrl"], f"/api/requests/{request}")
        self.assertEqual(client.json(f"/api/requests/{request}")["state"], "pending")
        self.assertEqual(len(self.queue("new")), 1)
        self.start_ingestor()
        outcome = self.outcome(client, request)
        self.assertEqual((outcome["outcome"], outcome["result"]["observations"]), ("done", 1))
        hash = accepted.json()["hash"]
        packet = eventually("the packet is served", lambda: client.get(f"/api/packets/{hash}").status == 200) and \
            client.json(f"/api/packets/{hash}")
        self.assertEqual(len(packet["observations"]), 1)
        self.assertEqual(self.rows("SELECT snr, rssi, path_len, path FROM observations"),
                         [(25, -91, 0x42, b"\xaa\xbb\xcc\xdd")])
        self.assertEqual(self.rows("SELECT id, iata FROM observers"), [(OBSERVER, "SFO")])
        self.assertEqual(self.queue("new"), [])

    def test_the_same_packet_posted_twice_is_one_observation(self):
        self.start_ingestor()
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        results = [self.outcome(client, post_packet(client, text_frame(1)).json()["requestId"])["result"]
                   for _ in range(2)]
        self.assertEqual([(r["observations"], r["duplicates"]) for r in results], [(1, 0), (0, 1)])

    def test_writing_needs_the_key(self):
        self.expect(0, "ingestor", "migrate")
        _, client = self.start_server()
        client.json("/api/stats")
        attempts = {"none": {}, "wrong": {"X-API-Key": KEY[:-1] + "x"}, "shorter": {"X-API-Key": KEY[:-1]},
                    "empty": {"X-API-Key": ""}, "in another header": {"Authorization": "Bearer " + KEY}}
        for name, headers in attempts.items():
            for path in ("/api/packets", "/api/admin/prune-geo-filter?confirm=true"):
                with self.subTest(key=name, path=path):
                    answer = client.post(path, {"hex": text_frame(1).hex(), "observer": OBSERVER}, headers=headers)
                    self.assertEqual(answer.status, 401)
                    self.assertIn("error", answer.json())
        self.assertEqual(self.queue("new"), [])

    def test_without_a_key_in_the_configuration_writing_is_off_unless_it_is_told_to_be_insecure(self):
        self.write_config({})
        self.expect(0, "ingestor", "migrate")
        server, client = self.start_server(key=KEY)
        client.json("/api/stats")
        self.assertEqual(post_packet(client, text_frame(1)).status, 403)
        self.stop(server)
        _, client = self.start_server("--insecure-writes")
        client.json("/api/stats")
        self.assertEqual(post_packet(client, text_frame(1)).status, 202)

    def test_what_the_ingestor_would_refuse_is_refused_at_once_with_400(self):
        self.expect(0, "ingestor", "migrate")
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        advert = bytearray(frame(FLOOD, ADVERT, advert_payload(signing.Key(1), name="Forged")))
        advert[40] ^= 1
        good = {"hex": text_frame(1).hex(), "observer": OBSERVER}
        for body in ({**good, "hex": "zz"}, {**good, "hex": "0"}, {**good, "hex": "12F6" + "00" * 30}, {"hex": good["hex"]},
                     {**good, "observer": "00" * 32}, {**good, "observer": "abc"}, {**good, "hex": bytes(advert).hex()},
                     {**good, "hash": "0" * 16}, {**good, "region": "../x"}, {**good, "snr": "loud"}, {**good, "snr": 1e9},
                     b"[]", b"{", b"\xff\xfe", b"", b"null", b'{"hex": {}}'):
            with self.subTest(body=body):
                answer = client.post("/api/packets", body)
                self.assertEqual(answer.status, 400, answer.body)
                self.assertIn("error", answer.json())
        self.assertEqual(self.queue("new"), [])

    def test_each_publication_reaches_the_database_and_the_readers(self):
        self.start_ingestor()
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        applied, visible = [], []
        for number in range(20):
            start = time.monotonic()
            accepted = post_packet(client, text_frame(number)).json()
            self.outcome(client, accepted["requestId"])
            applied.append(time.monotonic() - start)
            eventually("it is served", lambda: client.get(f"/api/packets/{accepted['hash']}").status == 200)
            visible.append(time.monotonic() - start)
        print(f"posted to applied, {quantiles(applied)}\nposted to served, {quantiles(visible)}")

    def test_many_who_post_at_once_get_each_an_answer_of_their_own(self):
        self.start_ingestor()
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        with concurrent.futures.ThreadPoolExecutor(8) as crowd:
            answers = list(crowd.map(lambda number: post_packet(client, text_frame(number)), range(200)))
        self.assertEqual({answer.status for answer in answers}, {202})
        requests = {answer.json()["requestId"] for answer in answers}
        self.assertEqual(len(requests), 200)
        eventually("all are applied", lambda: self.count("ledger") >= 200)
        self.assertEqual({id for id, in self.rows("SELECT id FROM ledger WHERE outcome = 'done' AND kind = 'packet-inject'")},
                         requests)
        self.assertEqual(self.value("SELECT count(DISTINCT producer_seq) FROM ledger"), self.count("ledger"))
        self.assertEqual(self.count("observations"), 200)

    def test_nodes_outside_the_area_are_pruned_as_previewed_and_no_others(self):
        self.write_config({"apiKey": KEY, "geo_filter": {"latMin": 40, "latMax": 50, "lonMin": 0, "lonMax": 10}})
        places = {"inside": (45.0, 5.0), "outside": (10.0, 5.0), "outside too": (45.0, 50.0), "nowhere": None}
        keys = {name: signing.Key(name) for name in places}
        self.ingest(packet_line(frame(FLOOD, ADVERT, advert_payload(keys[name], name=name, position=position), b"\1\2", 2))
                    for name, position in places.items())
        self.start_ingestor()
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        self.assertEqual(client.post("/api/admin/prune-geo-filter", b"", headers={"X-API-Key": "wrong"}).status, 401)
        preview = client.post("/api/admin/prune-geo-filter", b"").json()
        self.assertEqual({node["pubkey"] for node in preview["nodes"]},
                         {keys[name].public.hex() for name in ("outside", "outside too")})
        # One of them is confirmed, with one that is inside slipped in.
        confirmed = [keys["outside"].public.hex(), keys["inside"].public.hex()]
        answer = client.post("/api/admin/prune-geo-filter?confirm=true", {"pubkeys": confirmed})
        self.assertEqual((answer.status, answer.json()["count"]), (202, 1), answer.body)
        status = answer.json()["statusUrl"]
        done = eventually("it is done", lambda: (lambda s: s if s["status"] == "done" else None)(client.get(status).json()))
        self.assertEqual(done["deleted"], 1)
        left = {"inside", "outside too", "nowhere"}
        eventually("the node is gone", lambda: client.json("/api/nodes")["total"] == 3)
        self.assertEqual({node["name"] for node in client.json("/api/nodes")["nodes"]}, left)
        self.assertEqual(client.get("/api/multibyte/" + keys["outside"].public.hex()).status, 404)
        for id, code in (("01ARZ3NDEKTSV4RRFFQ69G5FAV", 404), ("..%2Fx", 400), ("", 400)):
            self.assertEqual(client.get("/api/admin/prune-geo-filter/status?id=" + id).status, code, id)
        self.expect_whole()

    def test_without_an_area_there_is_nothing_to_prune(self):
        self.expect(0, "ingestor", "migrate")
        _, client = self.start_server(key=KEY)
        client.json("/api/stats")
        self.assertEqual(client.post("/api/admin/prune-geo-filter", b"").status, 400)

    def test_a_request_that_is_stale_or_from_elsewhere_is_answered_so_and_changes_nothing(self):
        self.ingest(nodes(1))
        line = packet_line(text_frame(1))
        files = {"stale": inject(self, 1, line, created_at=now_text(-15 * DAY)),
                 "wrong_epoch": inject(self, 2, line, epoch="f" * 32),
                 "the future of packets": inject(self, 3, line, watermark=10**9),
                 "the future of commits": inject(self, 4, line, base_commit_seq=10**9),
                 "rejected": inject(self, 5, line, branch_id=77),
                 "not yet": QueueFile(self, "cluster-snapshot", "{}", 6)}
        for file in files.values():
            file.publish()
        self.start_ingestor()
        _, client = self.start_server()
        expected = {"the future of packets": "wrong_epoch", "the future of commits": "wrong_epoch", "not yet": "rejected"}
        for name, file in files.items():
            outcome = self.outcome(client, file.id)
            self.assertEqual(outcome["outcome"], expected.get(name, name), name)
            self.assertTrue(outcome["reason"], name)
        self.assertEqual(self.count("observations"), 1)
        self.assertEqual(client.get("/api/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV").status, 404)

    def test_a_file_that_is_delivered_again_changes_nothing(self):
        self.ingest(nodes(1))
        file = inject(self, 1, packet_line(text_frame(1))).publish()
        self.expect(0, "ingestor", "apply")
        ledger = self.rows("SELECT * FROM ledger")
        file.publish()
        self.expect(0, "ingestor", "apply")
        self.assertEqual(self.rows("SELECT * FROM ledger"), ledger)
        self.assertEqual((self.count("observations"), self.queue("new"), self.queue("failed")), (2, [], []))


if __name__ == "__main__":
    sys.exit(main())
