#!/usr/bin/env python3
"""The web page in a real browser: page.py [FOLDER_OF_THE_PROGRAMS].

The browser is chromium from PATH, or what HELIOGRAPH_BROWSER names; without one the test is skipped.
"""
import html
import os
import re
import shutil
import subprocess
import sys
import unittest

from support import signing
from support.frames import ADVERT, FLOOD, advert_payload, frame, packet_line
from support.observatory import Observatory
from support.programs import PATIENCE, main

BROWSER = os.environ.get("HELIOGRAPH_BROWSER") or shutil.which("chromium")
MARKUP = "<img src=x onerror=alert(1)>"


@unittest.skipUnless(BROWSER, "there is no chromium; deploy/install-deps.sh browser installs it")
class Page(Observatory):
    def setUp(self):
        super().setUp()
        adverts = [frame(FLOOD, ADVERT, advert_payload(signing.Key(name), name=name), hash_size=size)
                   for name, size in (("Summit", 2), ("Valley", 1), (MARKUP, 1))]
        self.ingest(packet_line(raw, f"2026-01-01T00:00:0{second}Z") for second, raw in enumerate(adverts))
        self.expect(0, "server", "analyze")
        self.expect(0, "ingestor", "apply")

    def shown(self, port):
        """The document as it is once its scripts have run, and as a person reads it: without markup."""
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
             f"--user-data-dir={self.path('browser')}", "--dump-dom", f"http://127.0.0.1:{port}/"],
            capture_output=True, timeout=PATIENCE * 2, check=True)
        document = done.stdout.decode()
        return document, html.unescape(re.sub(r"<[^>]*>", " ", document))

    def test_it_shows_each_node_with_its_status_and_takes_no_name_for_markup(self):
        server, client = self.start_server()
        document, text = self.shown(client.port)
        for told in ("Summit", "Valley", MARKUP, "1 confirmed", "2 unknown", "3 of 3"):
            self.assertIn(told, text)
        self.assertNotIn("<img", document)
        self.assertTrue(server.running())

    def test_it_says_when_the_server_cannot_answer_yet(self):
        empty = self.path("empty")
        os.mkdir(empty)
        self.data = empty
        _, client = self.start_server()
        self.assertIn("The server cannot answer just now", self.shown(client.port)[1])


if __name__ == "__main__":
    sys.exit(main())
