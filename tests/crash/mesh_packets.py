"""Captures of a small mesh, the same on every run."""
import datetime
import functools
import hashlib
import importlib.util
import json
import pathlib

_split = pathlib.Path(__file__).resolve().parent.parent / "split" / "make_capture.py"
_spec = importlib.util.spec_from_file_location("make_capture", _split)
make_capture = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_capture)

FLOOD_TEXT = 0x09


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def observer(number):
    return digest(f"observer {number}").hex().upper()


@functools.cache
def advert(number):
    """The signed flood advert of repeater `number`."""
    return make_capture.advert(number)


@functools.cache
def public_key(number):
    return make_capture.Identity(number).public_key.hex()


def forged_advert(number):
    """One that its key did not sign."""
    frame = bytearray(advert(number))
    frame[-1] ^= 1
    return bytes(frame)


def text(number):
    """A flood of a private message over one hop; the content is noise to everybody else."""
    noise = digest(f"text {number}")
    return bytes([FLOOD_TEXT, 0x01]) + noise[:1] + noise[1:5] + noise[:16]


def _line(heard_by, moment, kind, payload):
    identity = observer(heard_by)
    return json.dumps({
        "received_at": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z",
        "topic": f"meshcore/TST/{identity}/{kind}",
        "payload": {"origin": f"Observer {heard_by}", "origin_id": identity, **payload},
    })


def reception(frame, heard_by, moment):
    return _line(heard_by, moment, "packets",
                 {"type": "PACKET", "direction": "rx", "SNR": "7.5", "RSSI": "-80", "raw": frame.hex().upper()})


def status(heard_by, moment):
    return _line(heard_by, moment, "status", {"status": "online", "model": "Test", "firmware_version": "1.14.0"})


class Capture:
    """Lines with rising times."""

    def __init__(self, start):
        self._moment = start
        self.lines = []

    def _next(self):
        self._moment += datetime.timedelta(seconds=1)
        return self._moment

    def hear(self, frame, *observers):
        for heard_by in observers:
            self.lines.append(reception(frame, heard_by, self._next()))

    def tell_status(self, heard_by):
        self.lines.append(status(heard_by, self._next()))

    def write(self, path):
        pathlib.Path(path).write_text("".join(line + "\n" for line in self.lines))
