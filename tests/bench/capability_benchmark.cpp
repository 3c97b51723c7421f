// What the capability of all nodes costs: from packets in memory, from a database, and for a thousand
// observations more.
//
//   capability_benchmark --database=FILE --scratch=FOLDER [Google Benchmark's flags]
//
// FILE is only read; the increments go into a copy of it in FOLDER.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dbschema/database.h"
#include "server/analytics/capability_evidence.h"
#include "server/analytics/capability_model.h"
#include "server/analytics/capability_rules.h"
#include "server/analytics/flood_window.h"
#include "server/analytics/hop_resolver.h"
#include "server/state/mesh_state.h"
#include "server/state/packet_reader.h"
#include "server/state/reader_pool.h"
#include "server/state/row_reader.h"

namespace heliograph::server {
namespace {

constexpr std::chrono::milliseconds kNoLimit{std::chrono::hours(1)};
constexpr std::int64_t kIncrement = 1000;  // observations
// Transmissions that are looked at to find so many observations.
constexpr std::int64_t kMostTransmissions = kIncrement;

/// Every reception with its path, and every node: what the rules work on.
struct PacketsInMemory {
  std::vector<Reception> receptions;
  std::vector<std::uint8_t> paths;
  std::unordered_map<std::int64_t, PublicKey> identities;
  std::vector<NodeView> nodes;

  explicit PacketsInMemory(const std::filesystem::path& file) {
    ReaderConnection connection(file);
    const ReadTransaction transaction(connection, kNoLimit);
    for (const auto& [key, public_key] : ReadIdentities(connection, 0))
      identities.emplace(static_cast<std::int64_t>(key), public_key);
    for (NodeChange& change : ReadNodeChanges(connection, -1))
      if (change.row) nodes.push_back(std::move(*change.row));
    std::vector<std::size_t> offsets;
    std::int64_t cursor = 0;
    for (bool more = true; more;) {
      more = ReadObservations(connection, cursor, 100'000, [&](Reception& reception) {
        cursor = reception.observation;
        offsets.push_back(paths.size());
        paths.insert(paths.end(), reception.path.begin(), reception.path.end());
        receptions.push_back(reception);
      });
    }
    for (std::size_t i = 0; i < receptions.size(); ++i) {
      Reception& reception = receptions[i];
      reception.path = ByteView(paths.data() + offsets[i], reception.path.size());
      if (!reception.origin) continue;
      const auto signer = identities.find(static_cast<std::int64_t>(*reception.origin));
      if (signer != identities.end()) reception.origin_key = &signer->second;
    }
  }
};

Station StationOf(const NodeView& node) {
  Station station;
  station.public_key = node.public_key;
  station.forwards_by_default = ForwardsByDefault(node.role);
  if (node.lat && node.lon) station.position = GeoPoint{*node.lat, *node.lon};
  station.first_heard = node.first_seen;
  station.last_heard = node.last_seen;
  return station;
}

void FullFromMemory(benchmark::State& state, const std::filesystem::path& file) {
  const PacketsInMemory packets(file);
  std::size_t confirmed = 0;
  for ([[maybe_unused]] const auto iteration : state) {
    StationDirectory stations;
    for (const NodeView& node : packets.nodes) stations.Put(node.key, StationOf(node));
    CapabilityEvidenceStore evidence;
    RelayEvidence relays;
    FloodSample sample;
    ResolvedSteps steps;
    FloodWindow floods([&](const Flood& flood) {
      HopResolver(stations, relays).Resolve(flood, steps);
      relays.Add(flood, steps);
      sample.Add(flood);
    });
    for (const Reception& reception : packets.receptions) {
      evidence.Add(reception);
      floods.Add(reception);
    }
    floods.HandOnAll();
    const PrefixIndex& prefixes = stations.prefixes();
    std::vector<ModelFacts> model_facts;
    confirmed = 0;
    for (const NodeView& node : packets.nodes) {
      CapabilityFacts facts;
      facts.role = node.role;
      facts.adverts = evidence.AdvertsOf(node.key);
      facts.hops = SupportsOf(node.key, node.public_key, evidence, prefixes);
      facts.known_nodes = prefixes.size();
      const CapabilityEntry entry = DecideCapability(facts);
      ModelFacts& model_node = model_facts.emplace_back();
      model_node.node = node.key;
      model_node.forwards_by_default = ForwardsByDefault(node.role);
      if (entry.status != CapabilityStatus::kConfirmed) continue;
      model_node.proven = entry.probability;
      ++confirmed;
    }
    const OpportunityMeter meter(sample, {}, HopResolver(stations, relays));
    benchmark::DoNotOptimize(RunCapabilityModel(model_facts, meter));
  }
  state.counters["observations"] = static_cast<double>(packets.receptions.size());
  state.counters["nodes"] = static_cast<double>(packets.nodes.size());
  state.counters["confirmed"] = static_cast<double>(confirmed);
}

/// Steps until nothing is new.
void CatchUp(MeshState& mesh, ReaderConnection& connection) {
  while (true) {
    const ReadTransaction transaction(connection, kNoLimit);
    const MeshState::Step step = mesh.Follow(connection);
    if (step == MeshState::Step::kReplaced) throw std::runtime_error("the database was replaced");
    if (step == MeshState::Step::kUpToDate) return;
  }
}

std::unique_ptr<MeshState> LoadMesh(ReaderConnection& connection) {
  auto mesh = std::make_unique<MeshState>(MeshState::Limits(), 0);
  {
    const ReadTransaction transaction(connection, kNoLimit);
    mesh->LoadWarm(connection);
  }
  CatchUp(*mesh, connection);
  return mesh;
}

void FullFromDatabase(benchmark::State& state, const std::filesystem::path& file) {
  for ([[maybe_unused]] const auto iteration : state) {
    ReaderConnection connection(file);
    connection.database().exec("PRAGMA cache_size=-8192");
    const auto mesh = LoadMesh(connection);
    benchmark::DoNotOptimize(mesh->View());
    benchmark::DoNotOptimize(mesh->Assess());
  }
}

/// A copy of the database that hears old packets anew, as new ones.
class GrowingDatabase {
 public:
  GrowingDatabase(const std::filesystem::path& original, const std::filesystem::path& folder)
      : file_(folder / "growing.db") {
    Remove();
    std::filesystem::copy_file(original, file_);
    database_.emplace(dbschema::OpenForWriting(file_));
  }
  ~GrowingDatabase() {
    database_.reset();
    Remove();
  }
  GrowingDatabase(const GrowingDatabase&) = delete;
  GrowingDatabase& operator=(const GrowingDatabase&) = delete;

  const std::filesystem::path& file() const { return file_; }

  /// Stores a thousand observations more, with what the ingestor changes beside them: the rows of the
  /// observers that heard them and of the nodes that signed them.
  void Grow() {
    const std::int64_t last_transmission = Ask("SELECT max(id) FROM transmissions");
    const std::int64_t last_observation = Ask("SELECT max(id) FROM observations");
    const std::int64_t revision =
        Ask("SELECT max((SELECT max(revision) FROM nodes), (SELECT max(revision) FROM observers),"
            " (SELECT coalesce(max(revision), 0) FROM inactive_nodes)) + 1");
    const std::string shift = std::to_string(last_transmission - first_ + 1);
    const std::string chosen =
        "BETWEEN " + std::to_string(first_) + " AND " + std::to_string(first_ + kMostTransmissions - 1);
    database_->exec("BEGIN IMMEDIATE");
    const int heard = database_->exec(
        "INSERT INTO observations(transmission_id, observer_key, received_after, route, path_len, path,"
        " transport_codes, device_offset, flags, snr, rssi) SELECT transmission_id + " +
        shift +
        ", observer_key, received_after, route, path_len, path, transport_codes, device_offset, flags, snr, "
        "rssi"
        " FROM observations WHERE transmission_id " +
        chosen + " ORDER BY transmission_id, id LIMIT " + std::to_string(kIncrement));
    const std::int64_t reached =
        Ask("SELECT max(transmission_id) FROM observations WHERE id > " + std::to_string(last_observation));
    database_->exec(
        "INSERT INTO transmissions(id, content_hash, payload_type, payload, base_time, first_seen, last_seen,"
        " observation_count, origin_key, channel, scope) SELECT id + " +
        shift +
        ", randomblob(8), payload_type, payload, newest, newest, newest, observation_count, origin_key, "
        "channel, scope"
        " FROM transmissions, (SELECT max(last_seen) AS newest FROM transmissions) WHERE id BETWEEN " +
        std::to_string(first_) + " AND " + std::to_string(reached) + " - " + shift);
    const std::string touched = ", last_seen = last_seen + 1 WHERE ";
    database_->exec(
        "UPDATE observers SET packet_count = packet_count + 1, revision = " + std::to_string(revision) +
        touched + "observer_key IN (SELECT observer_key FROM observations WHERE id > " +
        std::to_string(last_observation) + ")");
    database_->exec(
        "UPDATE nodes SET advert_count = advert_count + 1, revision = " + std::to_string(revision) + touched +
        "node_key IN (SELECT origin_key FROM transmissions WHERE id > " + std::to_string(last_transmission) +
        ")");
    database_->exec("COMMIT");
    if (heard != kIncrement) throw std::runtime_error("the database is too small for the increments");
    first_ += reached - last_transmission;
  }

 private:
  std::int64_t Ask(const std::string& sql) { return database_->execAndGet(sql).getInt64(); }
  void Remove() const {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file_.string() + end);
  }

  std::filesystem::path file_;
  std::optional<SQLite::Database> database_;
  std::int64_t first_ = 1;  ///< the transmission that is heard anew next
};

/// What an analytics cycle adds for the whole mesh.
void Model(benchmark::State& state, const std::filesystem::path& file) {
  ReaderConnection connection(file);
  const auto mesh = LoadMesh(connection);
  mesh->View();
  const MeshModel& model = *mesh->View()->model;
  std::vector<ModelFacts> facts;
  for (const auto& node : mesh->View()->nodes) {
    facts.emplace_back().node = node->key;
    facts.back().forwards_by_default = ForwardsByDefault(node->role);
    if (node->capability.status == CapabilityStatus::kConfirmed) facts.back().proven = 1;
  }
  for ([[maybe_unused]] const auto iteration : state) {
    const OpportunityMeter meter(mesh->sample(), {}, model.resolver());
    benchmark::DoNotOptimize(RunCapabilityModel(facts, meter));
  }
}

void Increment(benchmark::State& state, const std::filesystem::path& file,
               const std::filesystem::path& scratch) {
  GrowingDatabase growing(file, scratch);
  ReaderConnection connection(growing.file());
  const auto mesh = LoadMesh(connection);
  std::int64_t before = mesh->View()->watermark;
  for ([[maybe_unused]] const auto iteration : state) {
    growing.Grow();
    const auto begin = std::chrono::steady_clock::now();
    CatchUp(*mesh, connection);
    const auto view = mesh->View();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
    if (view->watermark != before + kIncrement)
      throw std::runtime_error("the view does not hold the increment");
    before = view->watermark;
  }
}

/// Takes `--name=value` out of the arguments; Google Benchmark refuses what it does not know.
std::string TakeArgument(std::vector<char*>& arguments, std::string_view name) {
  const std::string start = "--" + std::string(name) + "=";
  const auto found = std::find_if(arguments.begin(), arguments.end(), [&](const char* argument) {
    return std::string_view(argument).starts_with(start);
  });
  if (found == arguments.end()) throw std::runtime_error("name the " + start + "…");
  std::string value = std::string(*found).substr(start.size());
  arguments.erase(found);
  return value;
}

}  // namespace
}  // namespace heliograph::server

int main(int argc, char** argv) {
  using namespace heliograph::server;
  try {
    std::vector<char*> arguments(argv, argv + argc);
    const std::filesystem::path file = TakeArgument(arguments, "database");
    const std::filesystem::path scratch = TakeArgument(arguments, "scratch");
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    benchmark::RegisterBenchmark("full_from_memory", FullFromMemory, file)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("full_from_database", FullFromDatabase, file)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("model", Model, file)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("increment", Increment, file, scratch)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(50)
        ->UseManualTime();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "capability_benchmark: " << error.what() << '\n';
    return 1;
  }
}
