"""What a capture holds and what it proves, worked out without the programs: the expectation that they are held to."""
import collections
import json

from support.frames import ADVERT, TRACE, Advert, Frame, Refused

FORWARDS = ("repeater", "room")  # by the firmware's default


class Reception:
    """One message of a capture that becomes an observation."""

    def __init__(self, observer, frame, advert):
        self.observer, self.frame, self.advert = observer, frame, advert
        self.hash = frame.hash()
        self.key = (self.hash, observer, frame.path_len, frame.path)


class Capture:
    """Everything in a capture file: what is stored, what is a duplicate, what is refused and why. Adverts may be forged
    when signatures are not validated."""

    def __init__(self, lines, validate=True):
        self.receptions, self.refused = [], collections.Counter()
        self.observers = set()
        self.messages = self.duplicates = 0
        seen = set()
        for line in lines:
            self.messages += 1
            document = json.loads(line)
            observer, form = document["topic"].split("/")[2:]
            if form == "status":
                self.observers.add(observer.upper())
                continue
            payload = document["payload"]
            payload = json.loads(payload) if isinstance(payload, str) else payload
            try:
                frame = Frame(bytes.fromhex(payload["raw"]))
                advert = Advert(frame.payload, validate) if frame.type == ADVERT else None
            except Refused as refusal:
                self.refused[str(refusal)] += 1
                continue
            reception = Reception(observer.upper(), frame, advert)
            self.observers.add(reception.observer)
            if reception.key in seen:
                self.duplicates += 1
                continue
            seen.add(reception.key)
            self.receptions.append(reception)

    @property
    def transmissions(self):
        return {reception.hash for reception in self.receptions}

    def nodes(self):
        """The newest advert of each node, by the node's own clock."""
        newest = {}
        for reception in self.receptions:
            advert = reception.advert
            if advert and (advert.key not in newest or advert.time > newest[advert.key].time):
                newest[advert.key] = advert
        return newest

    def capability(self):
        """(status, evidence) of each node: section 6 of the design, without what needs statistics."""
        nodes = self.nodes()
        known = set(nodes) | {bytes.fromhex(observer) for observer in self.observers}
        by_hash = collections.defaultdict(set)
        for key in known:
            for size in (2, 3):
                by_hash[key[:size]].add(key)
        # As many unheard nodes as known ones, rounded up to a power of two: that none of them has the same hash must be
        # as good as certain.
        unheard = 1 << max(len(known) - 1, 0).bit_length()
        certain = {size: (1 - 256.0 ** -size) ** unheard >= 0.95 for size in (2, 3)}
        relayed, maybe_relayed = set(), set()
        for reception in self.receptions:
            frame = reception.frame
            if not frame.is_flood or frame.type == TRACE or frame.hash_size < 2:
                continue
            for hop in frame.hop_hashes():
                # Nobody relays a packet of its own.
                candidates = by_hash[hop] - ({reception.advert.key} if reception.advert else set())
                maybe_relayed |= candidates
                if len(candidates) == 1 and certain[frame.hash_size]:
                    relayed |= {key for key in candidates if key in nodes and nodes[key].role in FORWARDS}
        proved = self._proved_by_adverts()
        verdicts = {}
        for key in nodes:
            if key in proved:
                verdicts[key] = ("confirmed", "advert")
            elif key in relayed:
                verdicts[key] = ("confirmed", "relay")
            elif key in maybe_relayed:
                verdicts[key] = ("suspected", "path")
            else:
                verdicts[key] = ("unknown", None)
        return verdicts

    def _proved_by_adverts(self):
        sizes = collections.defaultdict(lambda: collections.defaultdict(bool))
        for reception in self.receptions:
            if reception.advert and reception.frame.is_flood:
                heard_after_a_hop = sizes[reception.advert.key]
                heard_after_a_hop[(reception.hash, reception.frame.hash_size)] |= reception.frame.hops > 0
        proved = set()
        for key, adverts in sizes.items():
            multibyte = [(size, relayed) for (_, size), relayed in adverts.items() if size >= 2]
            # One 2-byte advert at 0 hops beside 1-byte ones: an overflown 1-byte path looks the same.
            overflow = len(multibyte) == 1 and len(adverts) > 1 and multibyte[0] == (2, False)
            if multibyte and not overflow:
                proved.add(key)
        return proved
