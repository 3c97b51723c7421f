// How well the programs' clusters follow the communities of simulated meshes.
//
//   cluster_replay [--resolutions N,...] [--tolerance-hours N] [--least-ari N] [--json FILE] HISTORY...
//
// Scores what the programs said, and beside it other partitions and rules on the same graphs. Prints tables;
// exit code 1 when what the programs say is no better than a cold pass of the Leiden method.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/config.h"
#include "tests/evaluation/clusters/mesh_history.h"

namespace heliograph::evaluation {
namespace {

constexpr int kPasses = 8;
constexpr double kEventGate = 3;
const double kResolution = ClusterConfig().resolution;
const char* const kComponents = "components";
const char* const kPrograms = "the programs / memory";
const char* const kCold = "one pass, cold, 1, by score / plain Jaccard";

struct Settings {
  std::vector<std::string> files;
  std::vector<double> resolutions = {kResolution};
  double tolerance_hours = 144;
  std::optional<double> least_ari;
  std::string json_file;
};

std::unique_ptr<Divider> Engine(double resolution, int passes, bool warm) {
  server::PartitionParameters parameters;
  parameters.resolution = resolution;
  parameters.runs = passes;
  return std::make_unique<EngineDivider>(parameters, warm);
}

std::vector<Way> WaysOf(const std::vector<double>& resolutions) {
  std::vector<Way> ways;
  for (const double resolution : resolutions) {
    char name[64];
    std::snprintf(name, sizeof name, "consensus of %d, warm, %g", kPasses, resolution);
    ways.push_back({name, [=] { return Engine(resolution, kPasses, true); }});
  }
  ways.push_back({"one pass, cold, 1", [] { return Engine(1, 1, false); }});
  ways.push_back({kComponents, [] { return std::make_unique<ComponentDivider>(); }});
  return ways;
}

/// The partition of the last step beside that of the true links.
void PrintEnd(const std::vector<MeshHistory>& meshes, nlohmann::json& report) {
  std::vector<double> seen, true_links, seen_ami, true_ami;
  for (const MeshHistory& mesh : meshes) {
    const auto best = Engine(kResolution, kPasses, false)->Divide(mesh.links);
    const PartitionFigures figures = Compare(TruthOf(mesh.links), LabelsOf(mesh.links, best));
    seen.push_back(mesh.at_end.ari);
    seen_ami.push_back(mesh.at_end.ami);
    true_links.push_back(figures.ari);
    true_ami.push_back(figures.ami);
  }
  std::printf("| at the end | ARI | AMI |\n|---|---:|---:|\n");
  std::printf("| the programs | %.3f | %.3f |\n| the same partition of the true links | %.3f | %.3f |\n\n",
              Mean(seen), Mean(seen_ami), Mean(true_links), Mean(true_ami));
  report["at_end"] = {{"programs", {{"ari", seen}, {"ami", seen_ami}}},
                      {"true_links", {{"ari", true_links}, {"ami", true_ami}}}};
}

/// By how much the programs are ahead of a way, mesh by mesh; true when that is no accident.
bool PrintLead(const OutcomeTable& table, const std::string& other, const char* name,
               const std::function<double(const Outcome&)>& of, nlohmann::json& report) {
  const auto ours = Column(table.rows.at(kPrograms), of), theirs = Column(table.rows.at(other), of);
  std::vector<double> lead;
  for (std::size_t i = 0; i < ours.size(); ++i) lead.push_back(ours[i] - theirs[i]);
  const auto [low, high] = Interval(lead);
  std::printf("%s of the programs above %s: %.3f (95 %%: %.3f to %.3f)\n", name, other.c_str(), Mean(lead),
              low, high);
  report["leads"][other][name] = {{"mean", Mean(lead)}, {"low", low}, {"high", high}};
  return low > 0;
}

bool Evaluate(const Settings& settings) {
  std::vector<MeshHistory> meshes;
  OutcomeTable table;
  for (const std::string& file : settings.files) {
    meshes.push_back(ReadMeshHistory(file, settings.tolerance_hours));
    const MeshHistory& mesh = meshes.back();
    table.Add(kPrograms, Score(mesh.history, mesh.tracks, mesh.reported, mesh.partition));
    for (const Way& way : WaysOf(settings.resolutions)) {
      for (const auto& [rule, outcome] : Follow(way, mesh.history))
        table.Add(way.name + " / " + rule, outcome);
    }
    for (const Way& way : WaysOf({settings.resolutions.front()})) {
      if (way.name == kComponents) continue;  // they do not depend on weights
      for (const auto& [rule, outcome] : Follow(way, mesh.by_score))
        table.Add(way.name + ", by score / " + rule, outcome);
    }
  }
  std::printf("%zu meshes; delays in steps; events within %g h\n\n", meshes.size(), settings.tolerance_hours);
  nlohmann::json report{{"ways", Print(table)}};
  PrintEnd(meshes, report);
  char same[64];
  std::snprintf(same, sizeof same, "consensus of %d, warm, %g / plain Jaccard", kPasses,
                settings.resolutions.front());
  const auto idf1 = [](const Outcome& outcome) { return outcome.identity.idf1; };
  const auto ari = [](const Outcome& outcome) { return outcome.partition.ari; };
  PrintLead(table, same, "IDF1", idf1, report);
  const bool identity = PrintLead(table, kCold, "IDF1", idf1, report);
  const bool partition = PrintLead(table, kCold, "ARI", ari, report);
  const double ratio =
      Pooled(table.rows.at(kPrograms)).f() / std::max(1e-9, Pooled(table.rows.at(kCold)).f());
  report["event_f_ratio"] = ratio;
  std::printf("F of merges and splits to that of %s: %.1f times\n", kCold, ratio);
  const bool ahead = identity && partition && ratio >= kEventGate;
  std::printf("wanted: ahead of %s in IDF1 and ARI, and in F %g times: %s\n", kCold, kEventGate,
              ahead ? "met" : "MISSED");
  bool met = ahead;
  if (settings.least_ari) {
    met = Mean(Column(table.rows.at(kPrograms), ari)) >= *settings.least_ari;
    std::printf("wanted instead: an ARI of at least %g: %s\n", *settings.least_ari, met ? "met" : "MISSED");
  }
  if (!settings.json_file.empty()) std::ofstream(settings.json_file) << report.dump(2) << '\n';
  return met;
}

}  // namespace
}  // namespace heliograph::evaluation

int main(int argc, char** argv) {
  CLI::App app("How well the programs' clusters follow the communities of simulated meshes");
  heliograph::evaluation::Settings settings;
  app.add_option("histories", settings.files, "what mesh_evaluation.py wrote")->required();
  app.add_option("--resolutions", settings.resolutions, "of the partitions beside the programs'")
      ->delimiter(',');
  app.add_option("--tolerance-hours", settings.tolerance_hours, "by which an event may be off (144)");
  app.add_option("--least-ari", settings.least_ari,
                 "wanted of the programs instead of a lead: one mesh is no measure of a lead");
  app.add_option("--json", settings.json_file, "where the figures go, too");
  CLI11_PARSE(app, argc, argv);
  try {
    return heliograph::evaluation::Evaluate(settings) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "cluster_replay: " << error.what() << '\n';
    return 2;
  }
}
