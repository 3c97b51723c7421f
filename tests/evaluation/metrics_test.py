#!/usr/bin/env python3
"""The figures themselves, on inputs whose answers can be worked out by hand."""
import sys
import unittest

sys.dont_write_bytecode = True

from calibration import best_constants, calibrate
from cases import held_out, training
from corescope_rule import labels
from detection import detect, says_capable
from figures import Bar, Figure
from hindsight import squares_at_best
from ranking import area_under_curve, curve
from receptions import Frame, Transmission
from resampling import interval
from switch_readiness import Blockers, Forecast, bias, coverage, forecasts, median_error, won_back
from truth import TrueNode
from support.frames import ADVERT, DIRECT, FLOOD, GROUP_TEXT, TRACE, frame


def node(key, capable=True, heard=0, relays=True):
    return TrueNode(key, "repeater", "TST", relays, False, True, capable, None, heard)


class Ranking(unittest.TestCase):
    def test_separated_scores_have_the_whole_area(self):
        self.assertEqual(area_under_curve([(0.9, True), (0.8, True), (0.1, False)]), 1)

    def test_reversed_scores_have_none(self):
        self.assertEqual(area_under_curve([(0.1, True), (0.8, False)]), 0)

    def test_ties_count_half(self):
        self.assertEqual(area_under_curve([(0.5, True), (0.5, False)]), 0.5)
        self.assertEqual(area_under_curve([(0.5, True), (0.5, False), (0.5, False), (0.1, False)]), (0.5 + 0.5 + 1) / 3)

    def test_one_kind_alone_has_no_area(self):
        self.assertIsNone(area_under_curve([(0.5, True)]))
        self.assertIsNone(area_under_curve([]))

    def test_the_area_is_that_below_the_curve(self):
        pairs = [(0.9, True), (0.7, False), (0.7, True), (0.3, True), (0.2, False)]
        points = curve(pairs)
        below = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in zip(points, points[1:]))
        self.assertAlmostEqual(below, area_under_curve(pairs))


class Calibrating(unittest.TestCase):
    def test_a_certain_truth_has_no_error(self):
        good = calibrate([(1, True), (0, False)])
        self.assertEqual((good.expected_error, good.brier), (0, 0))

    def test_a_certain_lie_has_all_of_it(self):
        bad = calibrate([(1, False), (0, True)])
        self.assertEqual((bad.expected_error, bad.brier, bad.bias), (1, 1, 0))

    def test_each_bin_counts_by_its_nodes(self):
        # 0.85 and 0.81 say 0.83, true is 0.5; 0.25 says what is false.
        some = calibrate([(0.85, True), (0.81, False), (0.25, False)])
        self.assertAlmostEqual(some.expected_error, (2 * 0.33 + 0.25) / 3)
        self.assertAlmostEqual(some.brier, (0.15**2 + 0.81**2 + 0.25**2) / 3)

    def test_errors_of_opposite_sign_in_one_bin_cancel(self):
        self.assertAlmostEqual(calibrate([(0.5, True), (0.5, False)]).expected_error, 0)

    def test_sums_of_cases_are_the_figures_of_all(self):
        first, second = [(0.9, True), (0.2, True)], [(0.95, False)]
        self.assertEqual(calibrate(first) + calibrate(second), calibrate(first + second))

    def test_no_other_constants_score_better(self):
        pairs = [("a", True), ("a", True), ("a", False), ("b", False)]
        constants = best_constants(pairs)
        self.assertEqual(constants, {"a": 2 / 3, "b": 0})
        score = lambda of: calibrate((of[label], capable) for label, capable in pairs).brier
        for other in (0.5, 0.6, 0.7, 1):
            self.assertGreater(score({"a": other, "b": 0}), score(constants))

    def test_hindsight_knows_what_was_heard_and_the_share_of_the_rest(self):
        nodes = [node("a", heard=3), node("b"), node("c"), node("d", capable=False), node("e", capable=False)]
        unknown = dict.fromkeys("abcde", "unknown")
        self.assertEqual(squares_at_best(nodes, unknown, {}), 4 * 0.25)
        self.assertEqual(squares_at_best(nodes, unknown, {"b": 9, "c": 9}), 0)


class Detecting(unittest.TestCase):
    def test_recall_is_of_the_capable_that_were_heard_relaying(self):
        nodes = [node("a", heard=1), node("b", heard=2), node("c"), node("d", capable=False)]
        found = detect(nodes, ["a"])
        self.assertEqual((found.recall, found.precision), (0.5, 1))

    def test_precision_is_of_all_that_are_named(self):
        nodes = [node("a", heard=1), node("c"), node("d", capable=False)]
        self.assertEqual(detect(nodes, ["a", "c", "d"]).precision, 2 / 3)

    def test_nothing_named_has_no_precision(self):
        self.assertIsNone(detect([node("a", heard=1)], []).precision)

    def test_a_suspicion_counts_from_nine_tenths(self):
        said = lambda status, probability: says_capable({"status": status, "probability": probability})
        self.assertTrue(said("suspected", 0.9))
        self.assertFalse(said("suspected", 0.89))
        self.assertFalse(said("suspected", None))
        self.assertFalse(said("unknown", 0.95))
        self.assertTrue(said("confirmed", None))


class CoreScope(unittest.TestCase):
    KEY, OTHER = "ab" * 32, "cd" * 32

    def label(self, route, kind, payload, path=b"", size=2):
        received = Transmission(Frame(frame(route, kind, payload, path, size)), "2026-01-01T00:00:00Z")
        return labels([received], [self.KEY, self.OTHER])[self.KEY]

    def advert(self):
        return bytes.fromhex(self.KEY) + bytes(69)

    def test_a_multibyte_advert_confirms(self):
        self.assertEqual(self.label(FLOOD, ADVERT, self.advert()), "confirmed")

    def test_a_direct_advert_confirms_only_with_hops(self):
        self.assertEqual(self.label(DIRECT, ADVERT, self.advert()), "unknown")
        self.assertEqual(self.label(DIRECT, ADVERT, self.advert(), b"\x01\x02"), "confirmed")

    def test_any_multibyte_path_suspects_also_a_planned_one(self):
        for route in (FLOOD, DIRECT):
            self.assertEqual(self.label(route, GROUP_TEXT, b"text", bytes.fromhex("abab")), "suspected")

    def test_path_packets_are_left_out_and_traces_have_one_byte(self):
        self.assertEqual(self.label(FLOOD, 8, b"path", bytes.fromhex("abab")), "unknown")
        self.assertEqual(self.label(DIRECT, TRACE, bytes(8) + b"\x01" + bytes.fromhex("abab"), size=1), "unknown")


class Readiness(unittest.TestCase):
    def forecast(self, true, share, low, high):
        return Forecast(None, "2", "node_share", true, share, low, high, 1)

    def test_an_interval_holds_its_ends(self):
        self.assertTrue(self.forecast(0.6, 0.5, 0.4, 0.6).covers)
        self.assertFalse(self.forecast(0.61, 0.5, 0.4, 0.6).covers)

    def test_what_is_not_stated_is_not_held(self):
        self.assertEqual(coverage([self.forecast(0.5, None, None, None), self.forecast(0.5, 0.5, 0.4, 0.6)]), 0.5)

    def test_the_median_error_is_of_what_is_stated(self):
        stated = [self.forecast(0.5, share, 0, 1) for share in (0.5, 0.6, 0.8, None)]
        self.assertAlmostEqual(median_error(stated), 0.1)
        self.assertAlmostEqual(bias(stated), 0.4 / 3)

    def test_gains_are_summed_over_meshes(self):
        self.assertAlmostEqual(won_back([Blockers(0.5, 0.7, 0.7), Blockers(0.9, 0.9, 1)]), 2 / 3)
        self.assertIsNone(won_back([Blockers(1, 1, 1)]))

    def test_the_best_is_never_worse_than_what_is_named(self):
        self.assertEqual(won_back([Blockers(0.5, 0.7, 0.6)]), 1)

    def test_a_mesh_where_upgrades_win_nothing_does_not_count(self):
        self.assertEqual(won_back([Blockers(0.5, 0.6, 0.6), Blockers(0.5, 0.4, 0.48)]), 1)

    def test_a_region_that_is_not_forecast_counts_as_not_held(self):
        true = {"node_share": 0.5, "observer_share": None}
        switch = {"sizes": {size: {**true, "regions": {"TST": true}} for size in ("2", "3")}}
        estimate = {"share": 0.5, "low": 0.4, "high": 0.6}
        scope = {"region": None, "knowledge": {"share_of_relayed_traffic_with_evidence": 0.7},
                 **{size: {"node_share": estimate, "observer_share": None, "blockers": []}
                    for size in ("two_bytes", "three_bytes")}}
        found = forecasts(switch, {"scopes": [scope]})
        self.assertEqual([(f.region, f.size, f.covers) for f in found],
                         [(None, "2", True), ("TST", "2", False), (None, "3", True), ("TST", "3", False)])


class Judging(unittest.TestCase):
    def test_a_bar_is_met_at_its_bound(self):
        self.assertEqual(Figure("", "", 0.95, bar=Bar(">=", 0.95)).verdict, "PASS")
        self.assertEqual(Figure("", "", 0.051, bar=Bar("<=", 0.05)).verdict, "MISS")
        self.assertEqual(Figure("", "", 0.86, bar=Bar("in", (0.75, 0.85))).verdict, "MISS")

    def test_a_figure_that_is_missing_is_no_pass(self):
        self.assertEqual(Figure("", "", None, bar=Bar(">=", 0)).verdict, "not measured")

    def test_the_interval_holds_the_figure_and_repeats(self):
        mean = lambda chosen: sum(chosen) / len(chosen)
        low, high = interval([1, 2, 3, 4, 5], mean)
        self.assertTrue(1 <= low < 3 < high <= 5)
        self.assertEqual((low, high), interval([1, 2, 3, 4, 5], mean))

    def test_no_seed_is_both_tuned_on_and_reported(self):
        self.assertFalse({case.seed for case in training()} & {case.seed for case in held_out()})
        self.assertGreaterEqual(len(held_out()), 20)
        self.assertGreaterEqual(min(case.seed for case in held_out()), 100)


if __name__ == "__main__":
    unittest.main()
