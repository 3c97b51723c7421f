// How well clusters keep their identity, on worlds whose groups change in known ways.
//
//   cluster_evaluation [--seeds N] [--first-seed N] [--runs N] [--json FILE]
//
// Each partition is followed by each rule. Prints a table; exit code 1 when a gate is missed.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "server/analytics/clusters/partition.h"
#include "tests/evaluation/clusters/identity_rule.h"

namespace heliograph::evaluation {
namespace {

constexpr double kNoise = 0.03;  // of the items that the oracle puts into a wrong group
constexpr double kIdentityGate = 0.04;
constexpr double kEventGate = 3;
constexpr int kResamples = 4000;

struct Groups {
  std::vector<std::vector<int>> clusters;
  std::vector<int> unclustered;
};

std::string KeyOf(int item) {
  char text[16];
  std::snprintf(text, sizeof text, "%08d", item);
  return text;
}

server::ItemGraph GraphOf(const PlantedRun& run) {
  std::vector<std::string> keys;
  std::map<int, server::Vertex> place;
  for (const int item : run.items) {
    place[item] = static_cast<server::Vertex>(keys.size());
    keys.push_back(KeyOf(item));
  }
  std::vector<server::WeightedEdge> edges;
  for (const auto& [a, b] : run.edges) edges.push_back({place.at(a), place.at(b), 1});
  return server::ItemGraph::Build(std::move(keys), std::move(edges)).value();
}

/// Divides each run by the Leiden method.
class LeidenPartition {
 public:
  LeidenPartition(double resolution, int passes, bool warm) : warm_(warm) {
    parameters_.resolution = resolution;
    parameters_.runs = passes;
  }

  Groups Divide(const PlantedRun& run) {
    const server::ItemGraph graph = GraphOf(run);
    const auto partition = server::DivideIntoClusters(graph, parameters_, former_, {});
    if (!partition) throw std::runtime_error(partition.error().text);
    Groups groups;
    server::FormerGroups former;
    for (const server::Cluster& cluster : partition->clusters) {
      groups.clusters.emplace_back();
      former.emplace_back();
      for (const server::ClusterMember& member : cluster.members) {
        groups.clusters.back().push_back(std::stoi(graph.keys()[member.vertex]));
        former.back().push_back(graph.keys()[member.vertex]);
      }
    }
    for (const server::Vertex vertex : partition->unclustered)
      groups.unclustered.push_back(std::stoi(graph.keys()[vertex]));
    if (warm_) former_ = std::move(former);
    return groups;
  }

 private:
  server::PartitionParameters parameters_;
  bool warm_;
  server::FormerGroups former_;
};

/// The truth, with some items in wrong groups.
class OraclePartition {
 public:
  explicit OraclePartition(std::uint64_t seed) : random_(seed) {}

  Groups Divide(const PlantedRun& run) {
    std::map<int, std::vector<int>> clusters;
    for (const auto& [item, group] : run.group_of) clusters[group];
    Groups groups;
    for (const int item : run.items) {
      auto group = run.group_of.find(item);
      if (group == run.group_of.end()) {
        groups.unclustered.push_back(item);
        continue;
      }
      auto target = clusters.find(group->second);
      if (static_cast<double>(random_() >> 11) * 0x1p-53 < kNoise)
        target = std::next(clusters.begin(), static_cast<std::ptrdiff_t>(random_() % clusters.size()));
      target->second.push_back(item);
    }
    for (auto& [group, members] : clusters)
      if (!members.empty()) groups.clusters.push_back(std::move(members));
    return groups;
  }

 private:
  std::mt19937_64 random_;
};

struct Way {
  std::string name;
  std::function<Groups(const PlantedRun&)> divide;
  MatchRule rule;
};

std::vector<Way> WaysOf(std::uint64_t seed) {
  std::vector<Way> ways;
  const auto add = [&](const std::string& partition, auto make) {
    for (const auto& [name, rule] :
         {std::pair("memory", MatchRule::kMemory), std::pair("plain Jaccard", MatchRule::kPlainJaccard)}) {
      auto divider = std::make_shared<decltype(make())>(make());
      ways.push_back({partition + " / " + name,
                      [divider](const PlantedRun& run) { return divider->Divide(run); }, rule});
    }
  };
  add("consensus of 8, warm", [] { return LeidenPartition(3, 8, true); });
  add("one pass, cold", [] { return LeidenPartition(1, 1, false); });
  add("oracle, 3 % noise", [seed] { return OraclePartition(seed + 1'000'003); });
  return ways;
}

struct Outcome {
  IdentityFigures identity;
  EventFigures events;
};

Outcome Follow(const Way& way, std::uint64_t seed, int runs) {
  PlantedDynamics world({}, seed);
  IdentityRule rule(way.rule);
  IdentityScore score;
  for (int run = 0; run < runs; ++run) {
    const PlantedRun now = world.Step();
    const Groups groups = way.divide(now);
    score.AddRun(now.group_of, rule.Advance(groups.clusters, groups.unclustered));
  }
  return {score.Identity(world.groups_made()), score.Events(world.events(), rule.events())};
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// The 95 % interval of the mean, by resampling the seeds.
std::pair<double, double> Interval(const std::vector<double>& values) {
  std::mt19937_64 random(1);
  std::vector<double> means;
  for (int i = 0; i < kResamples; ++i) {
    std::vector<double> sample;
    for (std::size_t j = 0; j < values.size(); ++j) sample.push_back(values[random() % values.size()]);
    means.push_back(Mean(sample));
  }
  std::sort(means.begin(), means.end());
  return {means[kResamples / 40], means[kResamples - kResamples / 40 - 1]};
}

EventFigures Pooled(const std::vector<Outcome>& outcomes) {
  EventFigures all;
  for (const Outcome& outcome : outcomes) {
    all.delay += outcome.events.delay * static_cast<double>(outcome.events.right);
    all.reported += outcome.events.reported;
    all.planted += outcome.events.planted;
    all.right += outcome.events.right;
  }
  if (all.right > 0) all.delay /= static_cast<double>(all.right);
  return all;
}

std::vector<double> Column(const std::vector<Outcome>& outcomes,
                           const std::function<double(const Outcome&)>& of) {
  std::vector<double> values;
  for (const Outcome& outcome : outcomes) values.push_back(of(outcome));
  return values;
}

nlohmann::json Row(const std::vector<Outcome>& outcomes) {
  const EventFigures events = Pooled(outcomes);
  return {{"idf1", Mean(Column(outcomes, [](const Outcome& o) { return o.identity.idf1; }))},
          {"switches", Mean(Column(outcomes, [](const Outcome& o) { return o.identity.switches; }))},
          {"ids_for_each_true",
           Mean(Column(outcomes, [](const Outcome& o) { return o.identity.ids_for_each_true; }))},
          {"event_precision", events.precision()},
          {"event_recall", events.recall()},
          {"event_f", events.f()},
          {"event_delay", events.delay},
          {"events_planted", events.planted},
          {"events_reported", events.reported}};
}

int Evaluate(int seeds, int first_seed, int runs, const std::string& json_file) {
  std::map<std::string, std::vector<Outcome>> outcomes;
  std::vector<std::string> order;
  for (int seed = first_seed; seed < first_seed + seeds; ++seed) {
    for (const Way& way : WaysOf(static_cast<std::uint64_t>(seed))) {
      if (outcomes[way.name].empty()) order.push_back(way.name);
      outcomes[way.name].push_back(Follow(way, static_cast<std::uint64_t>(seed), runs));
    }
    std::fprintf(stderr, "\r%d of %d seeds", seed - first_seed + 1, seeds);
  }
  std::fprintf(stderr, "\n");
  std::printf("%d seeds from %d, %d runs each; events within 2 runs; means\n\n", seeds, first_seed, runs);
  std::printf(
      "| partition / rule | IDF1 | switches in 1000 | ids for each true | event P | R | F | delay |\n");
  std::printf("|---|---:|---:|---:|---:|---:|---:|---:|\n");
  nlohmann::json report{{"seeds", seeds}, {"first_seed", first_seed}, {"runs", runs}};
  for (const std::string& name : order) {
    const nlohmann::json row = Row(outcomes[name]);
    std::printf("| %s | %.3f | %.1f | %.2f | %.2f | %.2f | %.2f | %.1f |\n", name.c_str(),
                row["idf1"].get<double>(), row["switches"].get<double>(),
                row["ids_for_each_true"].get<double>(), row["event_precision"].get<double>(),
                row["event_recall"].get<double>(), row["event_f"].get<double>(),
                row["event_delay"].get<double>());
    report["ways"][name] = row;
  }
  const auto& ours = outcomes["consensus of 8, warm / memory"];
  const auto& plain = outcomes["consensus of 8, warm / plain Jaccard"];
  std::vector<double> gain;
  for (std::size_t i = 0; i < ours.size(); ++i)
    gain.push_back(ours[i].identity.idf1 - plain[i].identity.idf1);
  const auto [low, high] = Interval(gain);
  const double event_ratio =
      Pooled(ours).f() / std::max(1e-9, Pooled(outcomes["one pass, cold / plain Jaccard"]).f());
  const bool identity_met = Mean(gain) >= kIdentityGate && low > 0;
  const bool events_met = event_ratio >= kEventGate;
  std::printf("\nIDF1 above plain Jaccard: %.3f (95 %%: %.3f to %.3f), wanted %.2f: %s\n", Mean(gain), low,
              high, kIdentityGate, identity_met ? "met" : "MISSED");
  std::printf("event F to that of one cold pass with plain Jaccard: %.1f times, wanted %.0f: %s\n",
              event_ratio, kEventGate, events_met ? "met" : "MISSED");
  report["idf1_gain"] = {{"mean", Mean(gain)}, {"low", low}, {"high", high}, {"met", identity_met}};
  report["event_f_ratio"] = {{"ratio", event_ratio}, {"met", events_met}};
  if (!json_file.empty()) std::ofstream(json_file) << report.dump(2) << '\n';
  return identity_met && events_met ? 0 : 1;
}

}  // namespace
}  // namespace heliograph::evaluation

int main(int argc, char** argv) {
  CLI::App app("How well clusters keep their identity, on worlds whose groups change in known ways");
  int seeds = 20, first_seed = 1001, runs = 40;
  std::string json_file;
  app.add_option("--seeds", seeds, "worlds (20)");
  app.add_option("--first-seed", first_seed, "of the first world (1001)");
  app.add_option("--runs", runs, "of each world (40)");
  app.add_option("--json", json_file, "where the figures go, too");
  CLI11_PARSE(app, argc, argv);
  return heliograph::evaluation::Evaluate(seeds, first_seed, runs, json_file);
}
