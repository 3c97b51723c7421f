#include "tests/evaluation/clusters/way.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <utility>

namespace heliograph::evaluation {
namespace {

constexpr int kResamples = 4000;

nlohmann::json WithInterval(const std::vector<double>& values) {
  const auto [low, high] = Interval(values);
  return {{"mean", Mean(values)}, {"low", low}, {"high", high}};
}

nlohmann::json Row(const std::vector<Outcome>& outcomes) {
  const EventFigures events = Pooled(outcomes);
  const auto column = [&](double (*of)(const Outcome&)) { return WithInterval(Column(outcomes, of)); };
  return {{"idf1", column([](const Outcome& o) { return o.identity.idf1; })},
          {"switches", column([](const Outcome& o) { return o.identity.switches; })},
          {"ids_for_each_true", column([](const Outcome& o) { return o.identity.ids_for_each_true; })},
          {"ari", column([](const Outcome& o) { return o.partition.ari; })},
          {"ami", column([](const Outcome& o) { return o.partition.ami; })},
          {"event_precision", events.precision()},
          {"event_recall", events.recall()},
          {"event_f", events.f()},
          {"event_delay", events.delay},
          {"events_planted", events.planted},
          {"events_reported", events.reported},
          {"events_right", events.right}};
}

std::string WithInterval(const nlohmann::json& figure) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f (%.3f to %.3f)", figure["mean"].get<double>(),
                figure["low"].get<double>(), figure["high"].get<double>());
  return text;
}

}  // namespace

History PlantedHistory(std::uint64_t seed, int runs) {
  PlantedDynamics world({}, seed);
  History history;
  for (int run = 0; run < runs; ++run) history.moments.push_back(MomentOf(world.Step()));
  history.events = world.events();
  history.groups_made = world.groups_made();
  return history;
}

std::map<std::string, Outcome> Follow(const Way& way, const History& history) {
  const auto divider = way.make();
  IdentityRule memory(MatchRule::kMemory), plain(MatchRule::kPlainJaccard);
  IdentityScore of_memory, of_plain;
  PartitionFigures sum;
  for (const Moment& moment : history.moments) {
    const Groups groups = divider->Divide(moment);
    of_memory.AddRun(moment.group_of, memory.Advance(groups.clusters, groups.unclustered));
    of_plain.AddRun(moment.group_of, plain.Advance(groups.clusters, groups.unclustered));
    const PartitionFigures figures = Compare(TruthOf(moment), LabelsOf(moment, groups));
    sum.ari += figures.ari;
    sum.ami += figures.ami;
  }
  const auto runs = static_cast<double>(history.moments.size());
  const PartitionFigures mean{sum.ari / runs, sum.ami / runs};
  return {
      {"memory",
       {of_memory.Identity(history.groups_made), of_memory.Events(history.events, memory.events()), mean}},
      {"plain Jaccard",
       {of_plain.Identity(history.groups_made), of_plain.Events(history.events, plain.events()), mean}}};
}

void OutcomeTable::Add(const std::string& name, const Outcome& outcome) {
  if (rows[name].empty()) order.push_back(name);
  rows[name].push_back(outcome);
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::pair<double, double> Interval(const std::vector<double>& values) {
  if (values.empty()) return {0, 0};
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

std::vector<double> Column(const std::vector<Outcome>& outcomes,
                           const std::function<double(const Outcome&)>& of) {
  std::vector<double> values;
  for (const Outcome& outcome : outcomes) values.push_back(of(outcome));
  return values;
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

nlohmann::json Print(const OutcomeTable& table) {
  nlohmann::json report;
  std::printf(
      "| partition / rule | IDF1 (95 %%) | switches in 1000 | ids for each true | event P | R | F | delay "
      "|\n");
  std::printf("|---|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const std::string& name : table.order) {
    const nlohmann::json row = report[name] = Row(table.rows.at(name));
    std::printf("| %s | %s | %.1f | %.2f | %.2f | %.2f | %.2f | %.1f |\n", name.c_str(),
                WithInterval(row["idf1"]).c_str(), row["switches"]["mean"].get<double>(),
                row["ids_for_each_true"]["mean"].get<double>(), row["event_precision"].get<double>(),
                row["event_recall"].get<double>(), row["event_f"].get<double>(),
                row["event_delay"].get<double>());
  }
  std::printf("\n| partition | ARI (95 %%) | AMI (95 %%) |\n|---|---:|---:|\n");
  std::string last;
  for (const std::string& name : table.order) {
    // All rules follow the same clusters.
    const std::string partition = name.substr(0, name.find(" / "));
    if (partition == last) continue;
    last = partition;
    std::printf("| %s | %s | %s |\n", partition.c_str(), WithInterval(report[name]["ari"]).c_str(),
                WithInterval(report[name]["ami"]).c_str());
  }
  std::printf("\n");
  return report;
}

}  // namespace heliograph::evaluation
