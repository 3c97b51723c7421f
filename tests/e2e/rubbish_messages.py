#!/usr/bin/env python3
"""Captures and messages that are damaged, forged or odd: what is dropped is counted under its reason, and nothing else is
lost: rubbish_messages.py [FOLDER_OF_THE_PROGRAMS].
"""
import hashlib
import json
import struct
import sys

from support import signing
from support.broker import Broker
from support.frames import (ADVERT, DIRECT, FLOOD, OBSERVER, TEXT, TRANSPORT_DIRECT, TRANSPORT_FLOOD, advert_payload,
                            frame, line, message, packet_line, signed_advert, text_frame, topic)
from support.observatory import Observatory
from support.programs import eventually, main

GOOD = [packet_line(text_frame(number)) for number in range(4)]
KEY = signing.Key("subject")


def advert(app_data, key=KEY, **options):
    return packet_line(frame(FLOOD, ADVERT, signed_advert(key, app_data, **options)))


def place(lat, lon):
    return bytes([0x92]) + struct.pack("<ii", round(lat * 1e6), round(lon * 1e6)) + b"N"


class Rubbish(Observatory):
    def drops(self):
        return {name.removeprefix("dropped_"): value for name, value in self.counters().items()
                if name.startswith("dropped_")}

    def source(self):
        """(received, unreadable, last_error) of the capture that was read."""
        return self.rows("SELECT received, unreadable, last_error FROM ingest_status")[0]

    def expect_only_the_good(self, lines, drops, good=4):
        self.ingest(lines)
        self.assertEqual(self.drops(), drops)
        self.assertEqual(self.count("transmissions"), good)
        self.expect_whole()


class CaptureFiles(Rubbish):
    def test_a_capture_that_is_cut_within_a_line_keeps_all_lines_before(self):
        whole = "\n".join(GOOD).encode()
        for cut in (1, len(GOOD[3]) // 2, len(GOOD[3]) - 1):
            path = self.write("cut.jsonl", whole[:-cut])
            said = self.expect(0, "ingestor", "run", "--once", "--capture", path)
            self.assertIn("ends inside line 4", said)
            self.assertEqual(self.count("transmissions"), 3)
        self.expect_whole()

    def test_a_last_line_without_its_end_is_taken_when_it_is_whole(self):
        path = self.write("whole.jsonl", "\n".join(GOOD))
        self.expect(0, "ingestor", "run", "--once", "--capture", path)
        self.assertEqual(self.count("transmissions"), 4)

    def test_a_line_of_10_mb_is_left_out_and_counted_in_bounded_memory(self):
        huge = packet_line(text_frame(99)).replace('"raw"', '"padding": "' + "x" * 10_000_000 + '", "raw"')
        path = self.write("huge.jsonl", "\n".join(GOOD[:2] + [huge] + GOOD[2:]) + "\n")
        self.expect(0, "ingestor", "run", "--once", "--capture", path)
        self.assertEqual(self.count("transmissions"), 4)
        self.assertEqual(self.source()[:2], (4, 1))

    def test_a_message_of_300_kb_is_oversized(self):
        self.expect_only_the_good(GOOD + [line(message(text_frame(9), padding="x" * 300_000))], {"oversized": 1})

    def test_lines_that_are_no_messages_are_counted_as_unreadable(self):
        odd = ["", "   ", "{", "[]", "null", "1", '"text"', "{}", "\0", "]" * 1000, "[" * 100_000,
               json.dumps({"received_at": "2026-01-01T00:00:00Z", "topic": topic()}),
               json.dumps({"topic": topic(), "payload": message(text_frame(9))}),
               json.dumps({"received_at": "yesterday", "topic": topic(), "payload": message(text_frame(9))}),
               json.dumps({"received_at": "2026-02-30T00:00:00Z", "topic": topic(), "payload": message(text_frame(9))}),
               json.dumps({"received_at": 1767225600, "topic": topic(), "payload": message(text_frame(9))}),
               json.dumps({"received_at": "2026-01-01T00:00:00Z", "topic": 5, "payload": message(text_frame(9))}),
               json.dumps({"received_at": "2026-01-01T00:00:00Z", "topic": topic(), "payload": [1]}),
               GOOD[0] + GOOD[1], GOOD[0] + "}"]
        self.expect_only_the_good(GOOD[:2] + odd + GOOD[2:], {})
        self.assertEqual(self.source()[:2], (4, len(odd) - 2), "two of them are empty, and no fault")

    def test_invalid_utf_8_is_refused_and_stops_nothing(self):
        overlong = GOOD[0].encode().replace(b"Observer", b"\xc0\xaf\xff\xfe")
        in_text = line(json.dumps(message(text_frame(9)))).encode().replace(b"Observer", b"Obs\xe2\x82")
        self.ingest(GOOD[:2] + [overlong, in_text] + GOOD[2:])
        self.assertEqual(self.count("transmissions"), 4)
        self.assertEqual(self.source()[1] + self.drops().get("malformed_json", 0), 2)
        self.expect_whole()

    def test_windows_line_ends_a_byte_order_mark_and_payloads_as_text_are_read(self):
        as_text = line(json.dumps(message(text_frame(3))))
        path = self.write("windows.jsonl", b"\xef\xbb\xbf" + "\r\n".join(GOOD[:3] + [as_text]).encode() + b"\r\n")
        self.expect(0, "ingestor", "run", "--once", "--capture", path)
        self.assertEqual((self.count("transmissions"), self.source()[1]), (4, 0))

    def test_a_megabyte_of_random_bytes_stops_nothing(self):
        noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(32_768))
        path = self.write("noise", "\n".join(GOOD[:2]).encode() + b"\n" + noise + b"\n" + "\n".join(GOOD[2:]).encode())
        self.expect(0, "ingestor", "run", "--once", "--capture", path)
        self.assertEqual(self.count("transmissions"), 4)
        self.expect_whole()


class Frames(Rubbish):
    """The table of rejections: reference 1.3 and 1.4."""

    def test_each_frame_that_the_firmware_would_drop_is_an_invalid_frame(self):
        bad = {"one byte": "11", "payload version 1": "51" + "0011" * 4, "payload version 3": "FF" + "00" * 10,
               "no path length": "14" + "00" * 4, "transport codes cut": "14AABB", "transport direct cut": "1700",
               "hash size 4": "12F6" + "00" * 230, "hash size 4, no hops": "11C0" + "00" * 20,
               "3 times 63": "12BF" + "00" * 200, "2 times 33": "1261" + "00" * 100, "3 times 22": "1196" + "00" * 100,
               "path past the end": "120A" + "00" * 5, "payload of 185": "1200" + "00" * 185}
        lines = [packet_line(bytes.fromhex(raw)) for raw in bad.values()]
        self.expect_only_the_good(GOOD + lines, {"invalid_frame": len(bad)})
        self.assertEqual(self.count("dropped_packets"), len(bad))
        self.assertEqual(self.value("SELECT count(*) FROM dropped_packets WHERE length(detail) > 10"), len(bad))

    def test_each_frame_at_the_limit_is_stored(self):
        good = [frame(FLOOD, TEXT, b"p" * 20, bytes(range(63))), frame(FLOOD, TEXT, b"q" * 20, b"ab" * 32, 2),
                frame(FLOOD, TEXT, b"r" * 20, b"abc" * 21, 3), frame(DIRECT, TEXT, b"s" * 184),
                frame(TRANSPORT_FLOOD, TEXT, b"t"), frame(TRANSPORT_DIRECT, TEXT, b""), frame(FLOOD, 13, b"reserved"),
                frame(FLOOD, 15, b"\0"), bytes.fromhex("2604302D0D2359FEE7B100000000006733D63367")]
        self.expect_only_the_good([packet_line(raw) for raw in good], {}, len(good))
        self.assertEqual(self.count("observations"), len(good))

    def test_each_header_and_path_length_with_any_tail_is_stored_or_refused_and_never_lost(self):
        lines = [packet_line(bytes([header, path_len]) + bytes([header ^ path_len]) * tail)
                 for header in range(0, 256, 5) for path_len in range(0, 256, 7) for tail in (0, 1, 6, 19)]
        self.ingest(lines)
        counters = self.counters()
        told = sum(value for name, value in counters.items() if name.startswith("dropped_")) + \
            counters["observations"] + counters.get("duplicates", 0)
        self.assertEqual(told, len(lines))
        self.expect_whole()


class Adverts(Rubbish):
    """The table of rejections: reference 1.5."""

    def test_adverts_that_cannot_be_are_invalid_adverts(self):
        zero = bytes(32) + advert_payload(KEY, name="Zero")[32:]
        bad = [packet_line(frame(FLOOD, ADVERT, advert_payload(KEY, name="Short")[:99])),
               packet_line(frame(FLOOD, ADVERT, b"")), packet_line(frame(FLOOD, ADVERT, zero)),
               advert(place(90.1, 0)), advert(place(-90.1, 0)), advert(place(0, 180.1)), advert(place(0, -999)),
               advert(b"\x82a\x01b"), advert(b"\x82\x7f"), advert(b"\x82\x1b[31mred"), advert(b"\x92\0\0\0\0\0\0\0"),
               advert(b"\xf2" + bytes(11))]
        self.expect_only_the_good(GOOD + bad, {"invalid_advert": len(bad)})
        self.assertEqual(self.count("nodes"), 0)

    def test_a_changed_bit_anywhere_in_an_advert_is_an_invalid_signature(self):
        payload = advert_payload(KEY, name="Honest")
        lines = []
        for at in (0, 31, 32, 35, 36, 67, 68, 99, 101, len(payload) - 1):
            forged = bytearray(payload)
            forged[at] ^= 1
            lines.append(packet_line(frame(FLOOD, ADVERT, bytes(forged))))
        self.expect_only_the_good(GOOD + lines + [packet_line(frame(FLOOD, ADVERT, payload[:-1]))],
                                  {"invalid_signature": len(lines) + 1})
        self.assertEqual(self.count("nodes"), 0)
        self.assertEqual(self.value("SELECT count(*) FROM dropped_packets WHERE length(node_public_key) = 64"), 11)

    def test_a_forged_advert_is_stored_when_signatures_are_not_validated(self):
        self.write_config({"validateSignatures": False})
        forged = bytearray(advert_payload(KEY, name="Honest"))
        forged[60] ^= 1
        self.expect_only_the_good(GOOD + [packet_line(frame(FLOOD, ADVERT, bytes(forged)))], {}, 5)

    def test_adverts_at_the_limit_make_nodes(self):
        # What lies behind 32 bytes is neither signed nor read: the firmware's rule.
        long = signed_advert(signing.Key(3), b"\x82" + b"n" * 31 + b"\x01 and more")
        good = [advert(place(90, 180), signing.Key(1)), advert(place(-90, -180), signing.Key(2)),
                packet_line(frame(FLOOD, ADVERT, long)), advert(b"\x82tab\tand\nline", signing.Key(4)),
                advert(b"\x00", signing.Key(5)), advert(b"\x8fodd type", signing.Key(6)),
                advert(b"\x82" + "Berg 🏔️".encode(), signing.Key(7))]
        self.expect_only_the_good(good, {}, len(good))
        roles = dict(self.rows("SELECT public_key, role FROM nodes"))
        self.assertEqual([roles[signing.Key(n).public.hex()] for n in range(1, 8)],
                         ["repeater"] * 4 + ["none", "type-15", "repeater"])

    def test_adverts_from_outside_the_area_are_dropped_only_in_the_mode_drop(self):
        area = {"latMin": 40, "latMax": 50, "lonMin": 0, "lonMax": 10}
        inside, outside = advert(place(45, 5), signing.Key(1)), advert(place(10, 5), signing.Key(2))
        self.write_config({"geo_filter": area})
        self.expect_only_the_good([inside, outside], {}, 2)
        self.assertEqual(self.value("SELECT count(*) FROM nodes WHERE foreign_advert"), 1)
        self.data = self.path("dropping")
        self.write_config({"geo_filter": area, "foreignAdverts": {"mode": "drop"}})
        self.expect_only_the_good([inside, outside], {"outside_geo_filter": 1}, 1)


class Messages(Rubbish):
    """Forms of topics and messages: reference 2.2 to 2.4, field 2a and 2b."""

    BLACK = hashlib.sha256(b"black").hexdigest().upper()

    def test_each_form_that_is_no_packet_is_dropped_under_its_reason(self):
        packet = message(text_frame(9))
        self.write_config({"observerBlacklist": [self.BLACK.lower()], "observerIATAWhitelist": ["tst", "SFO"]})
        forms = {
            "unsupported_topic": [line(packet, on=on) for on in (
                "", "/", "meshcore", "meshcore/status", "meshcore/events/connection", topic(kind="raw"),
                topic(kind="debug"), topic(kind="neighbors"), topic(kind="internal"), topic() + "/more",
                topic(observer="00" * 32), topic(observer=OBSERVER[:-1]), topic(observer="Z" * 64),
                f"meshcore/client/{OBSERVER}/packets", "meshcore/message/channel/0", "meshcore/message/direct/abc",
                topic(iata=""), topic(iata="A" * 17), f"meshrank/token/{OBSERVER}", "x" * 70_000)],
            "blacklisted_observer": [packet_line(text_frame(9), observer=self.BLACK),
                                     line({"status": "online"}, on=topic(self.BLACK.lower(), kind="status"))],
            "iata_not_allowed": [packet_line(text_frame(9), iata="LAX"),
                                 line({"status": "online"}, on=topic(iata="LAX", kind="status"))],
            "malformed_json": [line(text) for text in ("", "{", "null", "[1]", "12", '{"raw": "1100"} x', '{"raw":"11\n"}',
                                                       '{"a":' * 5000)],
            "origin_mismatch": [line({**packet, "origin_id": self.BLACK}), line({**packet, "origin_id": "short"})],
            "missing_raw": [line({k: v for k, v in packet.items() if k != "raw"})] + [
                line({**packet, "raw": raw}) for raw in (None, "", 5, True, [], {}, ["1100"])],
            "invalid_hex": [line({**packet, "raw": raw}) for raw in ("xyz", "1", "110", "0x1100", "11 0", "11,00", "  ",
                                                                     "11" * 5000, "１１００")],
        }
        lines = [one for many in forms.values() for one in many]
        self.expect_only_the_good(GOOD + lines, {reason: len(many) for reason, many in forms.items()})

    def test_each_dialect_of_the_observers_is_understood(self):
        raw = iter(text_frame(number) for number in range(100, 200))
        dialects = {
            "meshcoretomqtt": message(next(raw), SNR="12", RSSI="-65", score="1000", duration=None, len="45", route="F",
                                      timestamp="2026-01-01T00:00:00.123456+00:00", time="0:0:0", date="1/1/2026", hash=None),
            "packet-capture": message(next(raw), SNR="Unknown", RSSI="Unknown", route="T", hash="0" * 16,
                                      path="a1,b2", decoded={"type": "TXT", "nested": {"raw": "00"}}),
            "firmware bridge": message(next(raw), SNR="-3.2", RSSI="-110", timestamp="2026-01-01T02:00:00.000000",
                                       path="path_1x2_2b"),
            "pyMC": message(next(raw), direction="tx", SNR="0", RSSI="0", route="3"),
            "aspen": message(next(raw), SNR=7.25, RSSI=-90, path=["A1", "B2"], route="D"),
            "units": message(next(raw), SNR="5.5 dB", RSSI="-110dBm"),
            "lower-case": {k.lower() if k in ("SNR", "RSSI") else k: v for k, v in message(next(raw)).items()},
            "limited feed": {k: v for k, v in message(next(raw)).items() if k not in ("SNR", "RSSI")},
            "nonsense figures": message(next(raw), SNR="NaN", RSSI="Infinity"),
            "huge figures": message(next(raw), SNR=1e300, RSSI="-99999999999"),
            "hex with blanks": {**message(next(raw)), "raw": " ".join(f"{b:02x}" for b in next(raw)) + "\r\n"},
            "no origin": {"raw": next(raw).hex()},
            "strange types": {**message(next(raw)), "origin": 5, "origin_id": None, "timestamp": 12, "direction": ["rx"]},
            "strange name": message(next(raw), origin="\u0000\u202e<script>🌑" * 50),
        }
        self.expect_only_the_good([line(payload, f"2026-01-01T00:00:{n:02}Z") for n, payload in
                                   enumerate(dialects.values())], {}, len(dialects))
        stored = dict(zip(dialects, self.rows("SELECT snr, rssi, flags & 3, flags >> 2 FROM observations ORDER BY id")))
        nothing = (None, None)
        self.assertEqual({name: figures[:2] for name, figures in stored.items()}, {
            "meshcoretomqtt": (48, -65), "packet-capture": nothing, "firmware bridge": (-13, -110), "pyMC": nothing,
            "aspen": (29, -90), "units": (22, -110), "lower-case": (30, -80), "limited feed": nothing,
            "nonsense figures": nothing, "huge figures": stored["huge figures"][:2], "hex with blanks": (30, -80),
            "no origin": nothing, "strange types": (30, -80), "strange name": (30, -80)})
        self.assertEqual(stored["pyMC"][2], 2, "direction tx")
        self.assertEqual((stored["meshcoretomqtt"][3], stored["firmware bridge"][3]), (1, 2), "trusted, and naive")

    def test_no_control_character_of_a_message_reaches_the_log(self):
        red = "\u001b[31m\u0007\r\n\u009b"
        self.write_config({"logLevel": "trace"})
        said = self.ingest(GOOD + [
            line(message(text_frame(8), origin=red + "name")), line(message(text_frame(9), origin_id=red)),
            line({**message(text_frame(9)), "raw": red}), line(message(text_frame(9)), on="meshcore/" + red + "/x/packets"),
            line({"status": red, "model": red, "radio": red}, on=topic(kind="status")), line(red), red,
            advert(b"\x82\x1b[31mred"), packet_line(frame(FLOOD, ADVERT, advert_payload(KEY, name="\u202eevil")))])
        self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f]")
        self.assertEqual(self.count("dropped_packets"), 4)
        for row in self.rows("SELECT detail, observer_name, node_name FROM dropped_packets"):
            self.assertNotRegex(str(row), r"\\x[01]|\\n|\\r|\\t|\\x7f")

    def test_statuses_of_every_client_are_understood_and_bad_ones_harm_nothing(self):
        observers = [hashlib.sha256(b"status %d" % n).hexdigest().upper() for n in range(6)]
        statuses = [
            {"status": "online", "model": "Heltec V3", "firmware_version": "1.14", "radio": "910.525,62.5,7,5",
             "client_version": "mctomqtt/1", "repeat": "on", "stats": {"battery_mv": 4100, "uptime_secs": 7,
                                                                    "noise_floor": -110.5, "recv_errors": 1}},
            {"status": "online", "stats": {"battery_mv": "3500.7", "packets_sent": 1, "packets_received": 2}},
            {"status": "online", "stats": "none", "battery_mv": 3600}, {"status": "online", "stats": {"battery_mv": None}},
            {"status": 7, "model": ["x"], "repeat": {}, "stats": [1, 2]}, {}]
        lines = [line({"origin_id": observer, **status}, on=topic(observer, kind="status"))
                 for observer, status in zip(observers, statuses)]
        self.expect_only_the_good(GOOD + lines, {})
        self.assertEqual(self.counters()["statuses"], len(lines))
        told = {id: row for id, *row in self.rows("SELECT id, model, battery_mv, noise_floor, can_relay FROM observers")}
        self.assertEqual([told[observer] for observer in observers[:4]],
                         [["Heltec V3", 4100, -110.5, 1], [None, 3501, None, None], [None, 3600, None, None],
                          [None, None, None, None]])

    def test_a_region_that_a_source_filters_loses_packets_and_keeps_statuses(self):
        broker = Broker(self)
        self.write_config({"mqttSources": [{"name": "filtered", "broker": broker.url, "iataFilter": ["SFO"]}]})
        self.expect(0, "ingestor", "migrate")
        ingestor = self.start(self.program("ingestor"), "run", "--data", self.data, "--config", self.config)
        def arrived():
            broker.publish([(topic(iata="SFO"), json.dumps(message(text_frame(1))))])
            return self.count("observations")
        eventually("the first packet arrives", arrived, pause=0.2)
        other = hashlib.sha256(b"elsewhere").hexdigest().upper()
        broker.publish([(topic(other, iata="LAX"), json.dumps(message(text_frame(2), other))),
                        (topic(other, iata="LAX", kind="status"), json.dumps({"status": "online"}))])
        eventually("the status is taken", lambda: self.rows("SELECT 1 FROM observers WHERE id = ?", other))
        self.stop(ingestor)
        self.assertEqual(self.drops(), {"filtered_by_source": 1})
        self.assertEqual(self.count("observations"), 1)


if __name__ == "__main__":
    sys.exit(main())
