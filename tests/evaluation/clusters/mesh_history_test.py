#!/usr/bin/env python3
"""The truth about a mesh at a moment, and the figures of its neighbors, on lives that fit on a page."""
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from mesh_history import Communities, milliseconds, neighbor_figures, planted_events  # noqa: E402

DAY = 86_400_000
START = milliseconds("2026-01-01T00:00:00Z")


def day(number):
    return f"2026-01-{number:02}T00:00:00.000Z"


def node(key, community, appeared=None, died=None, relays=True, up=True):
    return {"public_key": key, "community": community, "appeared_at": appeared, "died_at": died, "relays": relays,
            "observer": False, "up": up, "advertised": True}


class Life(unittest.TestCase):
    truth = {
        "nodes": [node("a", "Kelso"), node("b", "Alder"), node("c", "Alder", appeared=day(3)),
                  node("d", "Alder", died=day(5)), node("e", "Quarry Ridge")],
        "events": [
            {"time": day(2), "kind": "moves", "node": "a", "from_community": "Upton", "community": "Alder"},
            {"time": day(4), "kind": "community_splits", "nodes": ["a"], "from_community": "Alder", "community": "Kelso"},
            {"time": day(4), "kind": "moves", "node": "a", "from_community": "Alder", "community": "Kelso"},
            {"time": day(5), "kind": "dies", "node": "d"}]}

    def at(self, number):
        return Communities(self.truth).at(START + (number - 1) * DAY + 1)

    def test_who_moves_belongs_to_each_place_in_its_time(self):
        self.assertEqual([self.at(number)["a"] for number in (1, 2, 3, 4, 9)], ["Upton", "Alder", "Alder", "Kelso", "Kelso"])

    def test_nobody_belongs_anywhere_before_it_appears_or_after_it_died(self):
        self.assertEqual([("c" in self.at(number), "d" in self.at(number)) for number in (2, 3, 5)],
                         [(False, True), (True, True), (True, False)])

    def test_a_ridge_is_no_community(self):
        self.assertNotIn("e", self.at(1))

    def test_events_of_towns_alone_are_planted(self):
        self.assertEqual(list(planted_events(self.truth)),
                         [{"kind": "split", "time": START + 3 * DAY, "from": "Alder", "to": "Kelso"}])


class Neighbors(unittest.TestCase):

    def figures(self, edges, links, events=()):
        keys = ["a", "b", "c"]
        truth = {"nodes": [node(key, "Alder", relays=key != "c") for key in keys], "events": list(events),
                 "links": [{"a": a, "b": b, "p_ab": p, "p_ba": 0} for a, b, p in links]}
        step = {"time": START + 9 * DAY,
                "neighbors": {"nodes": keys, "edges": [[a, b, count, 0, 0, 0, 1, None] for a, b, count in edges]}}
        return neighbor_figures(truth, step)

    def test_an_edge_is_right_when_it_is_a_link_and_a_good_link_is_to_be_found(self):
        counts = self.figures([(0, 1, 5), (0, 2, 1)], [(0, 1, 0.9), (1, 2, 0.8), (0, 2, 0.1)])
        self.assertEqual(counts, {"named": 2, "right": 2, "firm": 1, "firm_right": 1, "wanted": 2, "found": 1})

    def test_an_edge_without_a_link_is_wrong(self):
        counts = self.figures([(0, 1, 5)], [])
        self.assertEqual((counts["named"], counts["right"], counts["firm_right"]), (1, 0, 0))

    def test_links_of_who_moved_lately_are_left_out(self):
        moved = {"time": day(9), "kind": "moves", "node": "a", "from_community": "Upton", "community": "Alder"}
        self.assertEqual(self.figures([(0, 1, 5)], [], [moved])["named"], 0)
        self.assertEqual(self.figures([(0, 1, 5)], [], [moved | {"time": day(2)}])["named"], 1)


if __name__ == "__main__":
    unittest.main()
