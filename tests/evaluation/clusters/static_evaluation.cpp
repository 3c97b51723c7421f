#include "tests/evaluation/clusters/static_evaluation.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "common/config.h"
#include "tests/evaluation/clusters/static_graphs.h"
#include "tests/evaluation/clusters/way.h"

namespace heliograph::evaluation {
namespace {

constexpr std::array kMixings = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
constexpr double kBelowLeiden = 0.01;
constexpr int kPasses = 8;
const double kResolution = ClusterConfig().resolution;
constexpr std::size_t kBound = 200;

server::PartitionParameters Parameters(double resolution, int passes) {
  server::PartitionParameters parameters;
  parameters.resolution = resolution;
  parameters.runs = passes;
  return parameters;
}

std::vector<Way> StaticWays() {
  const auto engine = [](double resolution, int passes) {
    return [=] { return std::make_unique<EngineDivider>(Parameters(resolution, passes), false); };
  };
  return {{"consensus of 8", engine(kResolution, kPasses)},
          {"one pass", engine(kResolution, 1)},
          {"one pass, resolution 1", engine(1, 1)},
          {"components", [] { return std::make_unique<ComponentDivider>(); }},
          {"components of at most 200", [] { return std::make_unique<ComponentDivider>(kBound); }}};
}

/// The mean figures of each way on graphs of one kind.
std::vector<PartitionFigures> Divide(const std::vector<Way>& ways, StaticModel model, double mixing,
                                     int graphs, int first_seed) {
  std::vector<PartitionFigures> means(ways.size());
  for (int i = 0; i < graphs; ++i) {
    const Moment moment = DrawStaticGraph(model, mixing, static_cast<std::uint64_t>(first_seed + i));
    const server::Grouping truth = TruthOf(moment);
    for (std::size_t way = 0; way < ways.size(); ++way) {
      const auto figures = Compare(truth, LabelsOf(moment, ways[way].make()->Divide(moment)));
      means[way].ari += figures.ari / graphs;
      means[way].ami += figures.ami / graphs;
    }
  }
  return means;
}

/// Whether the first is nowhere below another but a cold pass, and below that by no more than is allowed.
bool HoldsUp(const std::vector<Way>& ways, const std::vector<PartitionFigures>& figures) {
  for (std::size_t way = 1; way < figures.size(); ++way) {
    const double allowed = ways[way].name.starts_with("one pass") ? kBelowLeiden : 0;
    if (figures[0].ari < figures[way].ari - allowed || figures[0].ami < figures[way].ami - allowed)
      return false;
  }
  return true;
}

}  // namespace

bool EvaluateStatic(int graphs, int first_seed, nlohmann::json& report) {
  const std::vector<Way> ways = StaticWays();
  bool met = true;
  std::printf("%d graphs of each kind, from seed %d; ARI / AMI, means\n\n| graph | mixing |", graphs,
              first_seed);
  for (const Way& way : ways) std::printf(" %s |", way.name.c_str());
  std::printf(" gate |\n|---|---:|");
  for (std::size_t i = 0; i < ways.size(); ++i) std::printf("---:|");
  std::printf("---|\n");
  for (const StaticModel model : {StaticModel::kLfr, StaticModel::kBlock}) {
    for (const double mixing : kMixings) {
      const auto figures = Divide(ways, model, mixing, graphs, first_seed);
      const bool holds = HoldsUp(ways, figures);
      met = met && holds;
      char place[32];
      std::snprintf(place, sizeof place, "%s %.1f", NameOf(model), mixing);
      std::printf("| %s | %.1f |", NameOf(model), mixing);
      for (std::size_t way = 0; way < ways.size(); ++way) {
        std::printf(" %.3f / %.3f |", figures[way].ari, figures[way].ami);
        report["static"][place][ways[way].name] = {{"ari", figures[way].ari}, {"ami", figures[way].ami}};
      }
      std::printf(" %s |\n", holds ? "met" : "MISSED");
      report["static"][place]["met"] = holds;
    }
  }
  std::printf("\nwanted: nowhere below components, and nowhere more than %.2f below one pass: %s\n\n",
              kBelowLeiden, met ? "met" : "MISSED");
  return met;
}

}  // namespace heliograph::evaluation
