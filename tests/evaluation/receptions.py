"""A capture as a list of transmissions, read without the programs that are measured."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from support.frames import ADVERT, Advert, Frame, Refused  # noqa: E402


class Transmission:
    """One content. `first` is the frame as it was first received; `longest` the one with most hops."""
    __slots__ = ("first", "longest", "received_at", "origin", "floods")

    def __init__(self, frame, received_at):
        self.first = self.longest = frame
        self.received_at = received_at
        self.origin = Advert(frame.payload, validate=False).key.hex() if frame.type == ADVERT else None
        self.floods = set()  # (hash size, path, key of the observer) of each distinct flood reception


def read_transmissions(path):
    """All transmissions in the order of their first reception. Signatures are taken as good: the simulator signs."""
    transmissions = {}
    with open(path, "rb") as lines:
        for line in lines:
            message = json.loads(line)
            if not message["topic"].endswith("/packets"):
                continue
            payload = message["payload"]
            payload = json.loads(payload) if isinstance(payload, str) else payload
            try:
                frame = Frame(bytes.fromhex(payload["raw"]))
                content = frame.hash()
                transmission = transmissions.get(content)
                if transmission is None:
                    transmission = transmissions[content] = Transmission(frame, message["received_at"])
            except Refused:
                continue
            if frame.hops > transmission.longest.hops:
                transmission.longest = frame
            if frame.is_flood:
                transmission.floods.add((frame.hash_size, frame.path, message["topic"].split("/")[2].lower()))
    return list(transmissions.values())


def hops_of(hash_size, path):
    return [path[at:at + hash_size] for at in range(0, len(path), hash_size)]
