// What the identity of clusters costs: the match of a run to the tracks, and how long the writer is held up
// while a run is applied.
//
//   cluster_benchmark [Google Benchmark's flags]

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/cluster_snapshot.h"
#include "dbschema/migrate.h"
#include "ingestor/apply/queue_applier.h"
#include "ingestor/clusters/matcher.h"
#include "queue/publisher.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::ingestor {
namespace {

/// Members `first` to `first + clusters * size - 1` in clusters of `size`; in each a tenth of the members is
/// exchanged with the next cluster when `round` is odd.
std::vector<std::vector<std::int64_t>> Rounds(std::int64_t clusters, std::int64_t size, int round) {
  std::vector<std::vector<std::int64_t>> groups(static_cast<std::size_t>(clusters));
  for (std::int64_t i = 0; i < clusters * size; ++i) {
    const bool moves = round % 2 == 1 && i % 10 == 0;
    groups[static_cast<std::size_t>((i / size + (moves ? 1 : 0)) % clusters)].push_back(i + 1);
  }
  return groups;
}

/// A world that remembers eight runs of `singles` clusters of one member and `clusters` of `size`, and the
/// next run.
struct Matching {
  TrackWorld world;
  ProposedRun run;

  Matching(std::int64_t singles, std::int64_t clusters, std::int64_t size) {
    for (int round = 0; round <= 8; ++round) {
      ProposedRun proposed;
      for (const auto& group : Rounds(clusters, size, round)) {
        proposed.clusters.emplace_back();
        for (const std::int64_t member : group) proposed.clusters.back().push_back(MemberKey{member});
        std::sort(proposed.clusters.back().begin(), proposed.clusters.back().end());
      }
      for (std::int64_t i = 1; i <= singles; ++i)
        proposed.clusters.push_back({MemberKey{clusters * size + i}});
      if (round == 8) {
        run = std::move(proposed);
      } else {
        Remember(proposed, round);
      }
    }
  }

  void Remember(const ProposedRun& proposed, int round) {
    const RunKey key{round + 1};
    RunPresence presence{key, static_cast<std::size_t>(7 - round), {}};
    if (world.tracks.empty()) world.tracks.resize(proposed.clusters.size());
    for (std::size_t i = 0; i < proposed.clusters.size(); ++i) {
      world.tracks[i].key = TrackKey{static_cast<std::int64_t>(i) + 1};
      world.tracks[i].snapshots.insert(world.tracks[i].snapshots.begin(), {key, proposed.clusters[i]});
      presence.present.insert(presence.present.end(), proposed.clusters[i].begin(),
                              proposed.clusters[i].end());
    }
    std::sort(presence.present.begin(), presence.present.end());
    world.runs.insert(world.runs.begin(), std::move(presence));
  }
};

void MatchClusters(benchmark::State& state) {
  const Matching matching(state.range(0), state.range(1), state.range(2));
  for (auto _ : state) benchmark::DoNotOptimize(Match(matching.world, matching.run, MatchRule::kMemory));
  state.counters["clusters"] = static_cast<double>(matching.run.clusters.size());
}
// 12 000 clusters, nine in ten of one member; the same number of ten members; and a mesh of 100 000 nodes.
BENCHMARK(MatchClusters)
    ->Args({10'800, 1'200, 8})
    ->Args({0, 12'000, 10})
    ->Args({0, 2'000, 50})
    ->Unit(benchmark::kMillisecond);

std::string NodeKey(std::int64_t number) {
  std::array<std::uint8_t, PublicKey::kSize> bytes{};
  for (int i = 0; i < 8; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return PublicKey(bytes).ToHex();
}

/// A volume whose dictionary knows the nodes.
class ApplyingVolume {
 public:
  explicit ApplyingVolume(std::int64_t nodes) : volume_(folder_.path()) {
    std::filesystem::create_directories(volume_.database_folder());
    auto database = dbschema::OpenForWriting(volume_.database());
    dbschema::Migrate(database);
    store_ = std::make_unique<MeshStore>(std::move(database), MeshStore::Options{});
    StoreTransaction transaction(*store_);
    for (std::int64_t node = 1; node <= nodes; ++node)
      store_->identities().KeyOf(PublicKey::FromHex(NodeKey(node)).value());
    transaction.Commit();
    publisher_ = std::move(*queue::Publisher::Open(volume_, "server"));
    inbox_ = std::make_unique<queue::Inbox>(std::move(*queue::Inbox::Open(volume_)));
    applier_ = std::make_unique<QueueApplier>(
        *store_, *inbox_, QueueApplier::Options{std::nullopt, "ingestor", [](const Receipt&) {
                                                  return Prepared(PreparedDrop{});
                                                }});
  }

  void Publish(const std::vector<std::vector<std::int64_t>>& groups, std::int64_t branch = 1) {
    ClusterSnapshot snapshot;
    snapshot.algorithm = "benchmark/1";
    for (const auto& group : groups) {
      SnapshotCluster cluster;
      for (const std::int64_t member : group) cluster.members.push_back({NodeKey(member), 0.5});
      cluster.representative = cluster.members.front().key;
      cluster.label = "cluster";
      snapshot.clusters.push_back(std::move(cluster));
    }
    auto fields = Fields(queue::Kind::kClusterSnapshot, "clusters/mesh");
    fields.branch_id = branch;
    publisher_->Publish(fields, EncodeClusterSnapshot(snapshot));
  }
  void Request(const std::string& json) {
    publisher_->Publish(Fields(queue::Kind::kBranchRequest, "branches"), json);
  }

  /// Applies what waits; returns the longest piece, the last one, and the sum, in milliseconds.
  std::array<double, 3> Apply() {
    std::array<double, 3> times{};
    for (bool unfinished = true; unfinished;) {
      const auto begin = std::chrono::steady_clock::now();
      unfinished = applier_->Run().unfinished;
      times[1] = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
      times[0] = std::max(times[0], times[1]);
      times[2] += times[1];
    }
    return times;
  }

 private:
  queue::EnvelopeFields Fields(queue::Kind kind, const std::string& stream) {
    queue::EnvelopeFields fields;
    fields.kind = kind;
    fields.stream = stream;
    fields.epoch = store_->epoch();
    fields.actor = "benchmark";
    fields.created_at = WallClockNow();
    return fields;
  }

  heliograph::testing::TemporaryFolder folder_;
  Volume volume_;
  std::unique_ptr<MeshStore> store_;
  std::unique_ptr<queue::Publisher> publisher_;
  std::unique_ptr<queue::Inbox> inbox_;
  std::unique_ptr<QueueApplier> applier_;
};

/// Applies as many runs as a match looks back on. Returns the number of the next one.
int FillMemory(ApplyingVolume& volume, std::int64_t clusters, std::int64_t size) {
  int round = 0;
  for (; round < static_cast<int>(kRememberedSnapshots); ++round) {
    volume.Publish(Rounds(clusters, size, round));
    volume.Apply();
  }
  return round;
}

/// The slowest of several applications, for each of the times that ApplyingVolume::Apply returns.
class Slowest {
 public:
  void Take(const std::array<double, 3>& times) {
    for (std::size_t i = 0; i < most_.size(); ++i) most_[i] = std::max(most_[i], times[i]);
  }
  void Report(benchmark::State& state) const {
    state.counters["longest_pause_ms"] = most_[0];
    state.counters["flip_ms"] = most_[1];
    state.counters["whole_ms"] = most_[2];
  }

 private:
  std::array<double, 3> most_{};
};

void ApplyRun(benchmark::State& state) {
  const std::int64_t nodes = state.range(0), size = 25;
  ApplyingVolume volume(nodes);
  int round = FillMemory(volume, nodes / size, size);
  Slowest slowest;
  for (auto _ : state) {
    state.PauseTiming();
    volume.Publish(Rounds(nodes / size, size, round++));
    state.ResumeTiming();
    slowest.Take(volume.Apply());
  }
  slowest.Report(state);
}
BENCHMARK(ApplyRun)->Arg(3'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->Iterations(5);

void MergeBranch(benchmark::State& state) {
  const std::int64_t nodes = state.range(0), size = 25;
  ApplyingVolume volume(nodes);
  int round = FillMemory(volume, nodes / size, size);
  Slowest slowest;
  std::int64_t branch = 1;
  for (auto _ : state) {
    state.PauseTiming();
    const std::string name = "b" + std::to_string(++branch);
    volume.Request(R"({"action":"create","name":")" + name + "\"}");
    volume.Apply();
    volume.Publish(Rounds(nodes / size, size, round++), branch);
    volume.Apply();
    volume.Request(R"({"action":"merge","name":")" + name + "\"}");
    state.ResumeTiming();
    slowest.Take(volume.Apply());
  }
  slowest.Report(state);
}
BENCHMARK(MergeBranch)->Arg(3'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
}  // namespace heliograph::ingestor

BENCHMARK_MAIN();
