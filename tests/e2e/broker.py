#!/usr/bin/env python3
"""The ingestor at a real broker, which stops, is cut off, and keeps what the ingestor misses: broker.py [FOLDER]."""
import hashlib
import json
import os
import subprocess
import sys
import threading
import unittest

from support.broker import Broker, DeafProxy, Publisher, free_ports
from support.frames import OBSERVER, message, packet_line, text_frame, topic
from support.observatory import Observatory, now_text
from support.programs import eventually, main, programs_folder


def packets(first, count):
    """Messages of different packets, as (topic, payload)."""
    return [(topic(), json.dumps(message(text_frame(number)))) for number in range(first, first + count)]


class AtABroker(Observatory):
    def setUp(self):
        super().setUp()
        self.broker = Broker(self)

    def observations(self):
        return self.count("observations")

    def expect_packets(self, first, count):
        """Just these packets are stored, each once, and nothing was refused."""
        eventually(f"{count} packets are stored", lambda: self.observations() >= count)
        stored = [hash for hash, in self.rows("SELECT t.content_hash FROM observations o JOIN transmissions t"
                                              " ON t.id = o.transmission_id")]
        published = [hashlib.sha256(b"\x02" + text_frame(number)[2:]).digest()[:8]
                     for number in range(first, first + count)]
        self.assertEqual(len(stored), count)
        self.assertEqual(set(stored), set(published))
        self.assertEqual(self.count("dropped_packets"), 0)

    def connected_ingestor(self, *urls, **options):
        ingestor = self.start_ingestor(*(part for url in urls or (self.broker.url,) for part in ("--mqtt", url)),
                                       **options)
        eventually("it is connected", lambda: ingestor.log().count(": connected to ") >= len(urls or (1,)))
        return ingestor

    def subscribe_once(self):
        """Makes the session that the broker keeps, with one packet through it as the proof. Returns 1."""
        ingestor = self.connected_ingestor()
        self.expect_live(0)
        self.stop(ingestor)
        return 1

    def expect_live(self, number, port=None):
        """A packet is published, again and again, until it is stored: the subscription is there."""
        def arrived():
            publisher = Publisher(port or self.broker.port)
            publisher.publish(*packets(number, 1)[0], qos=0)
            publisher.close()
            return self.stored(number)
        eventually(f"packet {number} arrives", arrived, pause=0.2)

    def stored(self, number):
        digest = hashlib.sha256(b"\x02" + text_frame(number)[2:]).digest()[:8]
        return self.rows("SELECT id FROM transmissions WHERE content_hash = ?", digest)


class LivePackets(AtABroker):
    def test_packets_of_both_qualities_arrive_and_are_served(self):
        self.connected_ingestor()
        self.expect_live(0)
        self.broker.publish(packets(1, 50), qos=0)
        self.broker.publish(packets(51, 50), qos=1)
        self.expect_packets(0, 101)
        _, client = self.start_server()
        self.assertEqual(client.json("/api/stats")["totalObservations"], 101)

    def test_the_listener_for_websockets_serves_too(self):
        self.connected_ingestor(f"ws://127.0.0.1:{self.broker.websocket_port}/mqtt")
        self.expect_live(0)
        self.broker.publish(packets(1, 20))
        self.expect_packets(0, 21)

    def test_the_source_is_described_in_the_database_and_over_http_without_the_password(self):
        secret = "hush-hush-password"
        self.connected_ingestor(environment={"HELIOGRAPH_MQTT_USERNAME": "ingestor", "HELIOGRAPH_MQTT_PASSWORD": secret})
        self.expect_live(0)
        self.broker.publish(packets(1, 9))
        row = eventually("the status counts what came", lambda: self.rows(
            "SELECT kind, connected, connect_count, received, unreadable, last_error FROM ingest_status"
            " WHERE received >= 10"))[0]
        self.assertEqual(row[:3] + row[4:], ("mqtt", 1, 1, 0, None))
        _, client = self.start_server()
        source, = client.json("/api/mqtt/status")["sources"]
        self.assertEqual((source["connected"], source["broker"]), (True, self.broker.url))
        self.assertGreaterEqual(source["packetsTotal"], 10)
        self.assertEqual(client.json("/api/healthz")["sources"][0]["connected"], True)
        for path in ("/api/mqtt/status", "/api/healthz", "/metrics"):
            self.assertNotIn(secret.encode(), client.get(path).body)
        self.assertNotIn(secret, str(self.rows("SELECT * FROM ingest_status")))

    def test_a_simulated_mesh_that_plays_to_the_broker_is_stored_as_its_truth_says(self):
        ingestor = self.connected_ingestor()
        self.expect_live(0)
        truth = self.path("truth.json")
        meshsim = os.path.join(programs_folder(), "meshsim")
        subprocess.run([meshsim, "--mqtt", self.broker.url, "--speed", "1e6", "--nodes", "40", "--messages", "5000",
                        "--truth", truth], check=True, capture_output=True, timeout=120)
        with open(truth, encoding="utf-8") as file:
            summary = json.load(file)["summary"]
        eventually("all is stored", lambda: self.observations() >= summary["observations"] + 1)
        self.stop(ingestor)
        self.assertEqual(self.observations(), summary["observations"] + 1)
        self.assertEqual(self.count("transmissions"), summary["transmissions"] + 1)

    def test_each_observation_is_stored_once_although_two_brokers_bring_it(self):
        other = Broker(self, "other")
        ingestor = self.connected_ingestor(self.broker.url, other.url)
        self.expect_live(0)
        self.expect_live(1, other.port)
        for broker in (self.broker, other):
            broker.publish(packets(2, 100))
        eventually("both sources have received all", lambda: len(self.rows(
            "SELECT source FROM ingest_status WHERE received >= 101")) == 2)
        self.stop(ingestor)
        self.expect_packets(0, 102)
        self.assertGreaterEqual(self.counters()["duplicates"], 100)

    def test_a_broker_that_cannot_be_reached_does_not_stop_the_other(self):
        closed = free_ports(1)[0]
        ingestor = self.start_ingestor("--mqtt", f"mqtt://127.0.0.1:{closed}", "--mqtt", self.broker.url)
        self.expect_live(0)
        self.broker.publish(packets(1, 20))
        self.expect_packets(0, 21)
        statuses = eventually("both sources are described", lambda: (
            lambda rows: rows if len(rows) == 2 and any(row[1] for row in rows) else None)(
                self.rows("SELECT address, connected, last_error FROM ingest_status ORDER BY source")))
        self.assertEqual([(address, connected) for address, connected, _ in statuses],
                         [(f"mqtt://127.0.0.1:{closed}", 0), (self.broker.url, 1)])
        self.assertTrue(statuses[0][2], "the source says why")
        self.assertIsNone(statuses[1][2])
        self.stop(ingestor)


class Absence(AtABroker):
    def test_what_is_published_while_the_ingestor_is_away_arrives_when_it_is_back(self):
        had = self.subscribe_once()
        self.broker.publish(packets(had, 100), qos=0)
        self.broker.publish(packets(had + 100, 100), qos=1)
        self.connected_ingestor()
        self.expect_packets(0, had + 200)

    def test_kill_9_amid_a_flow_loses_nothing_and_doubles_nothing(self):
        had, count = self.subscribe_once(), 3000
        ingestor = self.connected_ingestor()
        flow = threading.Thread(target=self.broker.publish, args=(packets(had, count),))
        flow.start()
        for stored in (200, 900):
            eventually(f"{stored} are stored", lambda: self.observations() > stored, pause=0.001)
            ingestor.kill()
            self.assertLess(self.observations(), had + count, "it was killed amid the flow")
            ingestor = self.connected_ingestor()
        flow.join()
        self.expect_packets(0, had + count)
        self.stop(ingestor)
        self.expect_whole()

    def test_a_restart_of_the_broker_is_survived(self):
        had = self.subscribe_once()
        ingestor = self.connected_ingestor()
        self.broker.publish(packets(had, 50))
        self.broker.stop()
        eventually("the loss is noticed", lambda: "the connection was lost" in ingestor.log())
        self.broker.start()
        self.broker.publish(packets(had + 50, 50))
        self.expect_packets(0, had + 100)
        self.assertTrue(ingestor.running())

    def test_a_session_that_is_gone_after_a_restart_of_both_is_reported_over_http_too(self):
        self.subscribe_once()
        self.broker.lose_everything()
        self.connected_ingestor()
        _, client = self.start_server()
        error = eventually("the gap is reported", lambda: client.json("/api/mqtt/status")["sources"][0]["lastError"])
        self.assertRegex(error, r"kept no session, so what was published from \S+Z to \S+Z may be missing")

    def test_topics_of_the_environment_hold_for_a_broker_of_a_flag(self):
        self.connected_ingestor(environment={"HELIOGRAPH_MQTT_TOPICS": "elsewhere/#"})
        def arrived():
            self.broker.publish(packets(0, 1) + [("elsewhere/a", "{}")])
            return self.rows("SELECT 1 FROM ingest_status WHERE received > 0")
        eventually("what was asked for arrives", arrived, pause=0.5)
        self.assertEqual(self.observations(), 0)

    def test_a_connection_that_is_open_but_dead_is_noticed_and_made_anew(self):
        self.write_config({"watchdog": {"silenceSeconds": 2}})
        proxy = DeafProxy(self, self.broker.port)
        self.connected_ingestor(f"mqtt://127.0.0.1:{proxy.port}")
        self.expect_live(0)
        proxy.go_deaf()
        accepted = proxy.accepted
        self.broker.publish(packets(1, 20))
        self.expect_packets(0, 21)
        self.assertGreater(proxy.accepted, accepted)


class Retained(AtABroker):
    """What the broker kept tells nothing about now."""

    STATUS = {"origin": "Observer", "origin_id": OBSERVER, "model": "Heltec", "timestamp": "2026-01-01T00:00:00Z"}

    def last_seen(self):
        return self.rows("SELECT last_seen, last_packet_at, online FROM observers WHERE id = ?", OBSERVER)

    def test_a_retained_status_makes_no_observer_look_alive(self):
        self.ingest([packet_line(text_frame(0))])
        before = self.last_seen()[0]
        self.broker.publish([(topic(kind="status"), json.dumps({"status": "offline", **self.STATUS}))], retain=True)
        self.connected_ingestor()
        eventually("the status is taken", lambda: self.last_seen()[0][2] == 0)
        self.assertEqual(self.last_seen()[0], (before[0], before[1], 0))

    def test_a_live_offline_status_is_no_proof_of_life_either(self):
        self.ingest([packet_line(text_frame(0))])
        before = self.last_seen()[0]
        self.connected_ingestor()
        def published():
            self.broker.publish([(topic(kind="status"), json.dumps({"status": "offline", **self.STATUS}))])
            return self.last_seen()[0][2] == 0
        eventually("the status is taken", published, pause=0.2)
        self.assertEqual(self.last_seen()[0], (before[0], before[1], 0))

    def test_a_live_status_is_a_proof_of_life_and_no_packet(self):
        self.ingest([packet_line(text_frame(0))])
        before = self.last_seen()[0]
        self.connected_ingestor()
        def published():
            self.broker.publish([(topic(kind="status"), json.dumps({"status": "online", **self.STATUS}))])
            return self.last_seen()[0][2] == 1
        eventually("the status is taken", published, pause=0.2)
        after = self.last_seen()[0]
        self.assertGreater(after[0], before[0])
        self.assertEqual(after[1], before[1])

    def test_an_observer_that_is_known_only_by_what_was_retained_was_not_seen_now(self):
        started = now_text()
        self.broker.publish([(topic(kind="status"), json.dumps({"status": "offline", **self.STATUS}))], retain=True)
        ingestor = self.connected_ingestor()
        self.expect_live_of_other()
        rows = self.last_seen()
        if rows:
            seen = self.value("SELECT strftime('%Y-%m-%dT%H:%M:%SZ', last_seen / 1000, 'unixepoch') FROM observers"
                              " WHERE id = ?", OBSERVER)
            self.assertLess(seen, started, "nothing but a retained last will was heard of it")
        self.stop(ingestor)

    def expect_live_of_other(self):
        other = hashlib.sha256(b"another observer").hexdigest().upper()
        def arrived():
            self.broker.publish([(topic(other), json.dumps(message(text_frame(0), other)))])
            return self.observations()
        eventually("a packet arrives", arrived, pause=0.2)


if __name__ == "__main__":
    sys.exit(main())
