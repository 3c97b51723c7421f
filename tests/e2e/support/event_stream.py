"""An event stream read as the HTML standard says (section 9.2.6), sharing nothing with the server's own idea of it."""
import codecs
import dataclasses
import re

_LINE_END = re.compile("\r\n|\n|\r")


@dataclasses.dataclass(frozen=True)
class Event:
    type: str
    data: str
    id: str


class EventStreamParser:
    """Takes bytes as they arrive, cut anywhere. A block that no empty line ends is never dispatched."""

    def __init__(self, last_id=""):
        self.last_id = last_id  # what an EventSource would send as Last-Event-ID
        self.retry = None  # milliseconds
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest, self._after_return = "", False
        self._id, self._type, self._data = last_id, "", []

    def feed(self, data):
        """The events that end with these bytes."""
        text = self._decoder.decode(data)
        if self._after_return and text:
            text, self._after_return = text.removeprefix("\n"), False
        *lines, self._rest = _LINE_END.split(self._rest + text)
        self._after_return = self._after_return or text.endswith("\r")
        events = []
        for line in lines:
            if line:
                self._take(line)
            else:
                events += self._dispatch()
        return events

    def _take(self, line):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._type = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)

    def _dispatch(self):
        self.last_id = self._id
        events = [Event(self._type or "message", "\n".join(self._data), self.last_id)] if self._data else []
        self._type, self._data = "", []
        return events
