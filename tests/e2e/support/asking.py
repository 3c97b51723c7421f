"""What tests ask of a server, and a mesh that they ask about."""
from support import signing
from support.frames import ADVERT, FLOOD, OBSERVER, advert_payload, frame, packet_line

KEY = "a-key-of-the-tests-7f3a"


def post_packet(client, raw, **members):
    return client.post("/api/packets", {"hex": raw.hex(), "observer": OBSERVER, **members})


def nodes(count):
    """Capture lines of adverts of so many repeaters."""
    return [packet_line(frame(FLOOD, ADVERT, advert_payload(signing.Key(n), name=f"Repeater {n}"))) for n in range(count)]
