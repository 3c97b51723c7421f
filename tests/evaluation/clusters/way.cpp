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
  const EventFigures events = Pooled(outcomes), comings = Pooled(outcomes, &Outcome::comings);
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
          {"events_right", events.right},
          {"births_and_deaths",
           {{"precision", comings.precision()},
            {"recall", comings.recall()},
            {"f", comings.f()},
            {"delay", comings.delay},
            {"planted", comings.planted},
            {"reported", comings.reported},
            {"right", comings.right}}}};
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

Outcome Score(const History& history, const std::vector<std::map<int, int>>& ids,
              const std::vector<ReportedEvent>& reported, PartitionFigures partition) {
  using Kind = PlantedEvent::Kind;
  IdentityScore score;
  for (std::size_t run = 0; run < history.moments.size(); ++run)
    score.AddRun(history.moments[run].group_of, ids[run]);
  return {score.Identity(history.groups_made),
          score.Events(history.events, reported, {Kind::kMerge, Kind::kSplit}, history.tolerance),
          score.Events(history.events, reported, {Kind::kBirth, Kind::kDeath}, history.tolerance), partition};
}

std::map<std::string, Outcome> Follow(const Way& way, const History& history) {
  const auto divider = way.make();
  IdentityRule memory(MatchRule::kMemory), plain(MatchRule::kPlainJaccard);
  std::vector<std::map<int, int>> by_memory, by_plain;
  PartitionFigures mean;
  const auto runs = static_cast<double>(history.moments.size());
  for (const Moment& moment : history.moments) {
    const Groups groups = divider->Divide(moment);
    by_memory.push_back(memory.Advance(groups.clusters, groups.unclustered));
    by_plain.push_back(plain.Advance(groups.clusters, groups.unclustered));
    const PartitionFigures figures = Compare(TruthOf(moment), LabelsOf(moment, groups));
    mean.ari += figures.ari / runs;
    mean.ami += figures.ami / runs;
  }
  return {{"memory", Score(history, by_memory, memory.events(), mean)},
          {"plain Jaccard", Score(history, by_plain, plain.events(), mean)}};
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

EventFigures Pooled(const std::vector<Outcome>& outcomes, EventFigures Outcome::*of) {
  EventFigures all;
  for (const Outcome& outcome : outcomes) {
    const EventFigures& events = outcome.*of;
    all.delay += events.delay * static_cast<double>(events.right);
    all.reported += events.reported;
    all.planted += events.planted;
    all.right += events.right;
  }
  if (all.right > 0) all.delay /= static_cast<double>(all.right);
  return all;
}

nlohmann::json Print(const OutcomeTable& table) {
  nlohmann::json report;
  std::printf(
      "| partition / rule | IDF1 (95 %%) | switches in 1000 | ids for each true | ARI (95 %%) | AMI (95 %%) "
      "|\n"
      "|---|---:|---:|---:|---:|---:|\n");
  for (const std::string& name : table.order) {
    const nlohmann::json row = report[name] = Row(table.rows.at(name));
    std::printf("| %s | %s | %.1f | %.2f | %s | %s |\n", name.c_str(), WithInterval(row["idf1"]).c_str(),
                row["switches"]["mean"].get<double>(), row["ids_for_each_true"]["mean"].get<double>(),
                WithInterval(row["ari"]).c_str(), WithInterval(row["ami"]).c_str());
  }
  std::printf(
      "\n| partition / rule | merges and splits: P | R | F | delay | births and deaths: P | R | F | delay |\n"
      "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const std::string& name : table.order) {
    std::printf("| %s |", name.c_str());
    for (const auto of : {&Outcome::events, &Outcome::comings}) {
      const EventFigures events = Pooled(table.rows.at(name), of);
      std::printf(" %.2f | %.2f | %.2f | %.1f |", events.precision(), events.recall(), events.f(),
                  events.delay);
    }
    std::printf("\n");
  }
  std::printf("\n");
  return report;
}

}  // namespace heliograph::evaluation
