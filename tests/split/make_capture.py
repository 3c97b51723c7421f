#!/usr/bin/env python3
"""Prints a small capture: make_capture.py FIRST COUNT: signed adverts of COUNT repeaters, one message a line.

Repeater n (FIRST <= n < FIRST + COUNT) sends one flood advert; an even one sends it with 2-byte path hashes, which proves
that it can. Each is heard by one observer over one hop. The messages are the same on every run.
"""
import hashlib
import json
import subprocess
import sys
import tempfile

FLOOD_ADVERT = 0x11
START = 1767225600  # 2026-01-01T00:00:00Z
OBSERVER = hashlib.sha256(b"observer").hexdigest().upper()


class Identity:
    """An Ed25519 key made from a number; openssl does the arithmetic."""

    def __init__(self, number):
        seed = hashlib.sha256(f"repeater {number}".encode()).digest()
        # PKCS#8 around the seed: RFC 8410.
        self._private = bytes.fromhex("302e020100300506032b657004220420") + seed
        self.public_key = self._openssl(["pkey", "-pubout", "-outform", "DER"])[-32:]

    def sign(self, message):
        with tempfile.NamedTemporaryFile() as file:
            file.write(message)
            file.flush()
            return self._openssl(["pkeyutl", "-sign", "-rawin", "-in", file.name])

    def _openssl(self, arguments):
        with tempfile.NamedTemporaryFile() as key:
            key.write(self._private)
            key.flush()
            name = "-inkey" if arguments[0] == "pkeyutl" else "-in"
            form = ["-keyform", "DER"] if arguments[0] == "pkeyutl" else ["-inform", "DER"]
            return subprocess.run(["openssl", *arguments, name, key.name, *form], check=True, capture_output=True).stdout


def advert(number):
    identity = Identity(number)
    timestamp = (START + number).to_bytes(4, "little")
    app_data = bytes([0x82]) + f"Repeater {number}".encode()  # a repeater with a name
    signature = identity.sign(identity.public_key + timestamp + app_data)
    hash_size = 2 if number % 2 == 0 else 1
    hop = hashlib.sha256(b"a relay").digest()[:hash_size]
    path_length = (hash_size - 1) << 6 | 1
    return bytes([FLOOD_ADVERT, path_length]) + hop + identity.public_key + timestamp + signature + app_data


def message(number):
    second = number % 60
    return {
        "received_at": f"2026-01-01T00:{number // 60:02}:{second:02}Z",
        "topic": f"meshcore/TST/{OBSERVER}/packets",
        "payload": {"origin": "Observer", "origin_id": OBSERVER, "type": "PACKET", "direction": "rx", "SNR": "7.5",
                    "RSSI": "-80", "raw": advert(number).hex().upper()},
    }


if __name__ == "__main__":
    for n in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
        print(json.dumps(message(n)))
