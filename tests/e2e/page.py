#!/usr/bin/env python3
"""The web page in a real browser: page.py [FOLDER_OF_THE_PROGRAMS].

The browser is chromium, driven by chromedriver from PATH; without them the test is skipped.
"""
import json
import shutil
import subprocess
import sys
import unittest
import urllib.request

from support import signing
from support.broker import free_ports
from support.frames import ADVERT, FLOOD, advert_payload, frame, packet_line
from support.observatory import Observatory
from support.programs import PATIENCE, eventually, main

DRIVER = shutil.which("chromedriver")
MARKUP = "<img src=x onerror=alert(1)>"


class Browser:
    """One window, by the WebDriver protocol."""

    def __init__(self, test):
        port, = free_ports(1)
        self._driver = test.start(DRIVER, f"--port={port}")
        self._address = f"http://127.0.0.1:{port}"
        eventually("the driver is ready", self._ready)
        options = {"args": ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={test.path('browser')}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        self._session = self._ask("/session", wanted)["sessionId"]
        test.addCleanup(self._ask, f"/session/{self._session}", method="DELETE")

    def _ready(self):
        try:
            return self._ask("/status")["ready"]
        except OSError:
            return False

    def _ask(self, path, body=None, method=None):
        request = urllib.request.Request(self._address + path, None if body is None else json.dumps(body).encode(),
                                         {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self._ask(f"/session/{self._session}/url", {"url": url})

    def run(self, script):
        return self._ask(f"/session/{self._session}/execute/sync", {"script": script, "args": []})

    def shows(self, text):
        """Waits until a person can read the text."""
        eventually(f"the page shows {text!r}", lambda: text in self.run("return document.body.innerText"))


@unittest.skipUnless(DRIVER, "there is no chromedriver; deploy/install-deps.sh browser installs it")
class Page(Observatory):
    def setUp(self):
        super().setUp()
        adverts = [self.advert(name, size) for name, size in (("Summit", 2), ("Valley", 1), (MARKUP, 1))]
        self.ingest(packet_line(raw, f"2026-01-01T00:00:0{second}Z") for second, raw in enumerate(adverts))
        self.expect(0, "server", "analyze")
        self.expect(0, "ingestor", "apply")

    @staticmethod
    def advert(name, hash_size):
        return frame(FLOOD, ADVERT, advert_payload(signing.Key(name), name=name), hash_size=hash_size)

    def open(self, client):
        browser = Browser(self)
        browser.open(f"http://127.0.0.1:{client.port}/")
        return browser

    def test_it_shows_each_node_with_its_status_and_takes_no_name_for_markup(self):
        _, client = self.start_server()
        browser = self.open(client)
        for told in ("Summit", "Valley", MARKUP, "1 confirmed", "3 of 3"):
            browser.shows(told)
        self.assertEqual(browser.run("return document.querySelectorAll('img').length"), 0)

    def test_a_click_on_a_node_shows_what_proves_it(self):
        _, client = self.start_server()
        browser = self.open(client)
        browser.shows("Summit")
        browser.run("[...document.querySelectorAll('#nodes button')].find(b => b.textContent === 'Summit').click()")
        browser.shows("repeater, confirmed by advert")
        browser.shows("own advert")

    def test_it_shows_what_is_new_without_being_asked(self):
        self.write_config({"analytics": {"intervalSeconds": 1}})
        ingestor = self.start_ingestor("--capture", "-", stdin=subprocess.PIPE)
        _, client = self.start_server()
        browser = self.open(client)
        browser.shows("3 of 3")
        ingestor.stdin.write(packet_line(self.advert("Ridge", 2), "2026-01-01T00:00:09Z").encode() + b"\n")
        ingestor.stdin.flush()
        for told in ("Ridge", "4 of 4", "2 confirmed"):
            browser.shows(told)

    def test_it_says_when_the_server_cannot_answer_yet(self):
        self.data = self.path("empty")
        _, client = self.start_server()
        self.open(client).shows("The server cannot answer just now")


if __name__ == "__main__":
    sys.exit(main())
