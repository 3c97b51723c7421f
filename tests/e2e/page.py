#!/usr/bin/env python3
"""The web page in a real browser: page.py [FOLDER_OF_THE_PROGRAMS].

The browser is chromium, driven by chromedriver from PATH; without them the test is skipped.
"""
import json
import os
import shutil
import subprocess
import sys
import unittest
import urllib.request

from support import signing
from support.broker import free_ports
from support.frames import ADVERT, FLOOD, advert_payload, frame, packet_line
from support.observatory import Observatory
from support.programs import PATIENCE, eventually, listening_port, main, programs_folder

DRIVER = shutil.which("chromedriver")
WITHOUT_BROWSER = "there is no chromedriver; deploy/install-deps.sh browser installs it"
MARKUP = "<img src=x onerror=alert(1)>"
KEY = "a-key-that-only-tests-have"


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

    def click(self, text, inside="body"):
        """Follows the link with this text, once it is there."""
        script = (f"const link = [...document.querySelectorAll({json.dumps(inside + ' a')})]"
                  f".find(a => a.textContent === {json.dumps(text)} && a.checkVisibility()); link?.click(); return !!link")
        eventually(f"there is a link {text!r}", lambda: self.run(script))


@unittest.skipUnless(DRIVER, WITHOUT_BROWSER)
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

    def open(self, client, place=""):
        browser = Browser(self)
        browser.open(f"http://127.0.0.1:{client.port}/{place}")
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
        browser.click("Summit", "#nodes")
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
        browser.open(f"http://127.0.0.1:{client.port}/#/?as_of=seq:2")
        for told in ("You look at the past", "3 of 3", "1 confirmed"):
            browser.shows(told)
        browser.click("Back to now")
        browser.shows("4 of 4")

    def test_it_shows_the_new_state_when_the_database_was_replaced(self):
        backup = self.path("backup.db")
        self.expect(0, "ingestor", "backup", backup)
        self.ingest([packet_line(self.advert("Ridge", 2), "2026-01-01T00:00:09Z")])
        self.expect(0, "server", "analyze")
        self.expect(0, "ingestor", "apply")
        port, = free_ports(1)
        serve = lambda: self.start(self.program("server"), "run", "--data", self.data, "--config", self.config,
                                   "--listen", f"127.0.0.1:{port}")
        server = serve()
        listening_port(server)
        browser = Browser(self)
        browser.open(f"http://127.0.0.1:{port}/")
        browser.shows("4 of 4")
        browser.run("window.wasHere = true")
        self.stop(server)
        self.expect(0, "ingestor", "restore", backup)
        listening_port(serve())
        browser.shows("3 of 3")
        self.assertTrue(browser.run("return window.wasHere"))

    def test_it_says_when_the_server_cannot_answer_yet(self):
        self.data = self.path("empty")
        _, client = self.start_server()
        self.open(client).shows("The server cannot answer just now")

    def test_it_says_what_is_awaited_before_there_are_clusters(self):
        _, client = self.start_server()
        browser = self.open(client, "#/clusters")
        browser.shows("No cluster run yet. The first one comes about a minute after")
        browser.click("Changes", "nav")
        browser.shows("No cluster run yet: what becomes of clusters is told from the first run on.")

    def test_what_does_not_exist_is_said_to_be_missing(self):
        _, client = self.start_server()
        browser = self.open(client, "#/clusters/nowhere")
        browser.shows("This cannot be shown: there is no cluster with the id, slug or alias nowhere")
        browser.open(f"http://127.0.0.1:{client.port}/#/clusters?as_of=seq:999")
        browser.shows("This cannot be shown")
        self.assertNotIn("hold together", browser.run("return document.body.innerText"))
        browser.click("Back to now")
        browser.shows("No cluster run yet")


@unittest.skipUnless(DRIVER, WITHOUT_BROWSER)
class ClustersInThePage(Observatory):
    def setUp(self):
        super().setUp()
        self.write_config({"analytics": {"intervalSeconds": 2}, "clusters": {"intervalSeconds": 3600}})
        capture = self.path("capture.jsonl")
        subprocess.run([os.path.join(programs_folder(), "meshsim"), "--seed", "5", "--nodes", "100", "--messages", "15000",
                        "--out", capture], check=True, capture_output=True)
        self.expect(0, "ingestor", "run", "--once", "--capture", capture)
        self.start_ingestor()
        _, self.client = self.start_server(key=KEY, environment={"HELIOGRAPH_API_KEY": KEY})
        self.clusters = eventually("clusters are found", lambda: self.client.json("/api/clusters")["clusters"])
        self.first_commit = self.client.json("/api/cluster-runs")["runs"][-1]["commit"]

    def open(self, place):
        browser = Browser(self)
        browser.open(f"http://127.0.0.1:{self.client.port}/{place}")
        return browser

    def correct(self, cluster, action, **body):
        answer = self.client.post(f"/api/clusters/{cluster['id']}/{action}", body)
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(self.outcome(self.client, answer.json()["requestId"])["outcome"], "applied")

    def run_with(self, resolution):
        """Another run, with clusters of another size; the titles of its clusters."""
        before = self.client.json("/api/clusters")["run"]
        self.assertEqual(self.client.post("/api/cluster-jobs", {"parameters": {"resolution": resolution}}).status, 202)

        def applied():
            answer = self.client.json("/api/clusters")
            return answer["run"] != before and [cluster["title"] for cluster in answer["clusters"]]
        return eventually("the run is applied", applied)

    def listed(self, browser, titles):
        """Waits until the list has these clusters in this order."""
        script = "return [...document.querySelectorAll('#clusters-list tbody tr')].map(r => r.querySelector('a').textContent)"
        eventually(f"the list is {titles}", lambda: browser.run(script) == titles)

    def test_the_list_and_the_map_show_what_the_api_says(self):
        browser = self.open("#/clusters")
        self.listed(browser, [cluster["title"] for cluster in self.clusters])
        sizes = browser.run("return [...document.querySelectorAll('#clusters-list tbody tr')].map(r => r.cells[1].textContent)")
        self.assertEqual(sizes, [str(cluster["size"]) for cluster in self.clusters])
        placed = {node["public_key"] for node in self.client.all("/api/nodes", "nodes") if node["lat"] is not None}
        homes = self.client.json("/api/clusters?members=true")["clusters"]
        coloured = len({key for cluster in homes for key in cluster["members"]} & placed)
        self.assertGreater(coloured, 0)
        count = "return document.querySelectorAll('#clusters-map .mark{}').length"
        self.assertEqual(browser.run(count.format(":not(.outside)")), coloured)
        self.assertEqual(browser.run(count.format("")), len(placed))
        kinds = browser.run("return [...document.querySelectorAll('#clusters-map .mark:not(.outside)')]"
                            ".map(m => m.getAttribute('class') + m.getAttribute('d').replace(/[^a-z]/gi, ''))")
        self.assertGreaterEqual(len(set(kinds)), 2, "clusters look alike")
        critical = self.client.json("/api/analytics/topology/critical?limit=500")
        vital = {node["pubkey"] for node in critical["nodes"] if node["is_cut_vertex"]} & placed
        self.assertEqual(browser.run("return document.querySelectorAll('#clusters-map .ring').length"), len(vital))
        browser.shows("What the mesh depends on")

    def test_a_cluster_shows_members_reasons_and_corrections_and_takes_no_name_for_markup(self):
        cluster = self.clusters[0]
        guest = self.client.json(f"/api/clusters/{cluster['id']}")["members"][-1]
        self.correct(cluster, "rename", title=MARKUP, reason=MARKUP)
        self.correct(cluster, "exclude", members=[guest["key"]], reason="a guest", actor="Ann")
        browser = self.open("#/clusters")
        browser.shows(MARKUP)
        browser.click(MARKUP, "#clusters-list")
        told = self.client.json(f"/api/clusters/{cluster['id']}")
        browser.shows(f"{told['members_total']} members, active")
        for member in told["members"]:
            self.assertIn(member["name"] or member["key"][:8], browser.run("return document.querySelector('#cluster-members').innerText"))
        self.assertEqual(browser.run("return document.querySelectorAll('#cluster-members tbody tr').length"), told["members_total"])
        for words in (told["decisions"][-1]["reason"], "Ann said that these do not belong to it", "Reason: a guest"):
            browser.shows(words)
        self.assertEqual(browser.run("return document.querySelectorAll('img').length"), 0)
        node = told["members"][0]
        browser.click(node["name"] or node["key"][:8], "#cluster-members")
        browser.shows(f"Cluster: {MARKUP}")
        browser.click(MARKUP, "#details")
        eventually("the details are closed", lambda: not browser.run("return document.querySelector('#details').open"))

    def test_the_past_is_shown_as_it_was_with_a_way_back(self):
        before = [cluster["title"] for cluster in self.clusters]
        after = self.run_with(resolution=8)
        self.assertNotEqual(before, after)
        browser = self.open("#/changes")
        browser.shows("tentative")
        browser.run(f"document.querySelector('#changes-commits a[href*=\"{self.first_commit}\"]').click()")
        browser.shows("You look at the past")
        self.listed(browser, before)
        browser.click("Switch", "nav")
        browser.shows("Who can carry them")
        browser.shows("You look at the past")
        browser.click("Clusters", "nav")
        browser.click("Back to now")
        self.listed(browser, after)
        self.assertNotIn("You look at the past", browser.run("return document.body.innerText"))

    def test_what_changes_is_shown_by_the_feed_without_a_reload(self):
        browser = self.open("#/clusters")
        browser.shows(self.clusters[0]["title"])
        browser.run("window.wasHere = true")
        browser.run("document.querySelector('#clusters-list a').focus()")
        self.correct(self.clusters[0], "rename", title="The Bay")
        browser.shows("The Bay")
        self.assertEqual(browser.run("return document.activeElement.textContent"), "The Bay", "the focus is lost")
        self.listed(browser, self.run_with(resolution=8))
        browser.click("Changes", "nav")
        browser.shows("A correction of clusters by a person")
        self.assertTrue(browser.run("return window.wasHere"))


if __name__ == "__main__":
    sys.exit(main())
