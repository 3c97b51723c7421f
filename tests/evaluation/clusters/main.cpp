// How well clusters keep their identity, on worlds whose groups change in known ways, and how well graphs are
// divided.
//
//   cluster_evaluation [--seeds N] [--first-seed N] [--runs N] [--graphs N] [--json FILE]
//
// Each partition is followed by each rule. Prints tables; exit code 1 when a gate is missed.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/evaluation/clusters/stability.h"
#include "tests/evaluation/clusters/static_evaluation.h"
#include "tests/evaluation/clusters/way.h"

namespace heliograph::evaluation {
namespace {

constexpr double kNoise = 0.03;  // of the items that the oracle puts into a wrong group
constexpr double kIdentityGate = 0.04;
constexpr double kEventGate = 3;

std::vector<Way> WaysOf(std::uint64_t seed) {
  const auto engine = [](double resolution, int passes, bool warm) {
    server::PartitionParameters parameters;
    parameters.resolution = resolution;
    parameters.runs = passes;
    return [=] { return std::make_unique<EngineDivider>(parameters, warm); };
  };
  return {
      {"consensus of 8, warm", engine(3, 8, true)},
      {"one pass, cold", engine(1, 1, false)},
      {"oracle, 3 % noise", [seed] { return std::make_unique<OracleDivider>(kNoise, seed + 1'000'003); }}};
}

bool EvaluatePlanted(int seeds, int first_seed, int runs, nlohmann::json& report) {
  OutcomeTable table;
  for (int seed = first_seed; seed < first_seed + seeds; ++seed) {
    const History history = PlantedHistory(static_cast<std::uint64_t>(seed), runs);
    for (const Way& way : WaysOf(static_cast<std::uint64_t>(seed))) {
      for (const auto& [rule, outcome] : Follow(way, history)) table.Add(way.name + " / " + rule, outcome);
    }
    std::fprintf(stderr, "\r%d of %d seeds", seed - first_seed + 1, seeds);
  }
  std::fprintf(stderr, "\n");
  std::printf(
      "%d seeds from %d, %d runs each; events within 2 runs; means with 95 %% intervals over seeds\n\n",
      seeds, first_seed, runs);
  report["planted"] = {{"seeds", seeds}, {"first_seed", first_seed}, {"runs", runs}, {"ways", Print(table)}};
  const auto& ours = table.rows["consensus of 8, warm / memory"];
  const auto& plain = table.rows["consensus of 8, warm / plain Jaccard"];
  std::vector<double> gain;
  for (std::size_t i = 0; i < ours.size(); ++i)
    gain.push_back(ours[i].identity.idf1 - plain[i].identity.idf1);
  const auto [low, high] = Interval(gain);
  const double event_ratio =
      Pooled(ours).f() / std::max(1e-9, Pooled(table.rows["one pass, cold / plain Jaccard"]).f());
  const bool identity_met = Mean(gain) >= kIdentityGate && low > 0;
  const bool events_met = event_ratio >= kEventGate;
  std::printf("IDF1 above plain Jaccard: %.3f (95 %%: %.3f to %.3f), wanted %.2f: %s\n", Mean(gain), low,
              high, kIdentityGate, identity_met ? "met" : "MISSED");
  std::printf("event F to that of one cold pass with plain Jaccard: %.1f times, wanted %.0f: %s\n\n",
              event_ratio, kEventGate, events_met ? "met" : "MISSED");
  report["idf1_gain"] = {{"mean", Mean(gain)}, {"low", low}, {"high", high}, {"met", identity_met}};
  report["event_f_ratio"] = {{"ratio", event_ratio}, {"met", events_met}};
  return identity_met && events_met;
}

}  // namespace
}  // namespace heliograph::evaluation

int main(int argc, char** argv) {
  using namespace heliograph::evaluation;
  CLI::App app("How well clusters are found and keep their identity, on graphs whose groups are known");
  int seeds = 20, first_seed = 1001, runs = 40, graphs = 10;
  std::string json_file;
  app.add_option("--seeds", seeds, "worlds whose groups change (20)");
  app.add_option("--first-seed", first_seed, "of the first world and graph (1001)");
  app.add_option("--runs", runs, "of each world (40)");
  app.add_option("--graphs", graphs, "that do not change, of each kind (10)");
  app.add_option("--json", json_file, "where the figures go, too");
  CLI11_PARSE(app, argc, argv);
  nlohmann::json report;
  bool met = EvaluateStatic(graphs, first_seed, report);
  met = EvaluateStability(graphs, first_seed, report) && met;
  met = EvaluatePlanted(seeds, first_seed, runs, report) && met;
  if (!json_file.empty()) std::ofstream(json_file) << report.dump(2) << '\n';
  return met ? 0 : 1;
}
