"""MeshCore frames: an encoder, and a decoder that shares nothing with the programs' own."""
import hashlib
import json
import struct

from support import signing

TRANSPORT_FLOOD, FLOOD, DIRECT, TRANSPORT_DIRECT = range(4)
TEXT, ADVERT, GROUP_TEXT, TRACE = 2, 4, 5, 9
ROLES = {0: "none", 1: "companion", 2: "repeater", 3: "room", 4: "sensor"}
MAX_PAYLOAD, MAX_PATH, SIGNED_APP_DATA = 184, 64, 32


class Refused(Exception):
    """The frame or the advert is refused; the text is the reason's name."""


class Frame:
    def __init__(self, data):
        self.raw = data
        if len(data) < 2 or data[0] >> 6:
            raise Refused("invalid_frame")
        self.route, self.type = data[0] & 3, data[0] >> 2 & 15
        at = 5 if self.route in (TRANSPORT_FLOOD, TRANSPORT_DIRECT) else 1
        if len(data) <= at:
            raise Refused("invalid_frame")
        self.path_len = data[at]
        self.hash_size, self.hops = (self.path_len >> 6) + 1, self.path_len & 63
        end = at + 1 + self.hash_size * self.hops
        if self.hash_size == 4 or self.hash_size * self.hops > MAX_PATH or len(data) < end:
            raise Refused("invalid_frame")
        self.path, self.payload = data[at + 1:end], data[end:]
        if len(self.payload) > MAX_PAYLOAD:
            raise Refused("invalid_frame")

    @property
    def is_flood(self):
        return self.route in (TRANSPORT_FLOOD, FLOOD)

    def hash(self):
        trace = struct.pack("<H", self.path_len) if self.type == TRACE else b""
        return hashlib.sha256(bytes([self.type]) + trace + self.payload).hexdigest()[:16]

    def hop_hashes(self):
        size = self.hash_size
        return {self.path[i:i + size] for i in range(0, len(self.path), size)}


class Advert:
    def __init__(self, payload, validate=True):
        if len(payload) < 101:
            raise Refused("invalid_advert")
        self.key, self.app_data = payload[:32], payload[100:][:SIGNED_APP_DATA]
        self.time = struct.unpack("<I", payload[32:36])[0]
        flags = self.app_data[0]
        self.role = ROLES.get(flags & 15, f"type-{flags & 15}")
        name_at = 1 + (8 if flags & 0x10 else 0) + (2 if flags & 0x20 else 0) + (2 if flags & 0x40 else 0)
        if name_at > len(self.app_data):
            raise Refused("invalid_advert")
        if flags & 0x10:
            lat, lon = struct.unpack("<ii", self.app_data[1:9])
            if abs(lat) > 90_000_000 or abs(lon) > 180_000_000:
                raise Refused("invalid_advert")
        name = self.app_data[name_at:].split(b"\0")[0] if flags & 0x80 else b""
        if any(byte < 0x20 and byte not in b"\t\n\r" or byte == 0x7F for byte in name) or not any(self.key):
            raise Refused("invalid_advert")
        self.name = name.decode(errors="replace")
        if validate and not signing.is_valid(self.key, self.key + payload[32:36] + self.app_data, payload[36:100]):
            raise Refused("invalid_signature")


def frame(route, kind, payload, path=b"", hash_size=1, codes=b"\x12\x34\0\0"):
    """The bytes of a frame. REQUIRED: the path is whole hops."""
    transport = codes if route in (TRANSPORT_FLOOD, TRANSPORT_DIRECT) else b""
    return bytes([kind << 2 | route]) + transport + bytes([hash_size - 1 << 6 | len(path) // hash_size]) + path + payload


def advert_payload(key, time=1_767_225_600, role=2, name="", position=None):
    app_data = bytes([role | (0x10 if position else 0) | (0x80 if name else 0)])
    if position:
        app_data += struct.pack("<ii", *(round(degrees * 1e6) for degrees in position))
    return signed_advert(key, app_data + name.encode(), time)


def signed_advert(key, app_data, time=1_767_225_600):
    stamp = struct.pack("<I", time)
    return key.public + stamp + key.sign(key.public + stamp + app_data[:SIGNED_APP_DATA]) + app_data


def text_frame(number, route=FLOOD, path=b"", hash_size=1):
    """A frame of a text message; each number gives other content."""
    return frame(route, TEXT, hashlib.sha256(f"text {number}".encode()).digest()[:20], path, hash_size)


OBSERVER = hashlib.sha256(b"observer").hexdigest().upper()


def topic(observer=OBSERVER, iata="TST", kind="packets"):
    return f"meshcore/{iata}/{observer}/{kind}"


def message(raw, observer=OBSERVER, **members):
    """The JSON of a packet as observers publish it."""
    return {"origin": "Observer", "origin_id": observer, "type": "PACKET", "direction": "rx", "SNR": "7.5", "RSSI": "-80",
            "raw": raw.hex().upper(), **members}


def line(payload, at="2026-01-01T00:00:00Z", on=None, **members):
    """A line of a capture file."""
    return json.dumps({"received_at": at, "topic": topic() if on is None else on, "payload": payload, **members})


def packet_line(raw, at="2026-01-01T00:00:00Z", observer=OBSERVER, iata="TST"):
    return line(message(raw, observer), at, topic(observer, iata))
