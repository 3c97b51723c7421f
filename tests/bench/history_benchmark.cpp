// What a year of commits costs on disk, and what questions about the past cost in time. Prints one JSON
// object.
//   history_benchmark FOLDER
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <vector>

#include "dbschema/database.h"
#include "dbschema/migrate.h"
#include "ingestor/store/capability_store.h"
#include "ingestor/store/mesh_store.h"
#include "server/history/entity_history.h"
#include "server/routes/capability_history.h"

namespace heliograph {
namespace {

constexpr int kNodes = 2000, kCommits = 1000, kChangesEach = 5;
constexpr UtcMillis kStart{std::chrono::milliseconds(1'780'000'000'000)};

PublicKey RandomKey(std::mt19937_64& random) {
  std::array<std::uint8_t, PublicKey::kSize> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return PublicKey(bytes);
}

void Commit(ingestor::MeshStore& store, const std::vector<IdentityKey>& nodes, int number,
            std::mt19937_64& random) {
  ingestor::StoreTransaction transaction(store);
  ingestor::CapabilityStore capabilities(store.database());
  ingestor::CommitFacts facts;
  facts.kind = "maintenance";
  facts.stream = "multibyte";
  facts.actor = "server:analytics";
  facts.authored_at = kStart + std::chrono::minutes(number);
  facts.digest = std::string(64, 'a');
  facts.updated = kChangesEach;
  const auto commit = store.commits().Begin(facts, facts.authored_at);
  std::vector<IdentityKey> changed;
  std::sample(nodes.begin(), nodes.end(), std::back_inserter(changed), kChangesEach, random);
  for (const IdentityKey node : changed) {
    CapabilityState state;
    state.status = CapabilityStatus::kSuspected;
    state.evidence = CapabilityEvidence::kPath;
    state.max_hash_size = std::uint8_t{2};
    state.probability = static_cast<int>(random() % 100);
    capabilities.Change(ingestor::kMainBranch, node, state, commit);
  }
  store.commits().MoveHead(ingestor::kMainBranch, commit);
  transaction.Commit();
}

/// Milliseconds, the median of `times` calls.
template <typename Call>
double MedianMs(int times, Call&& call) {
  std::vector<double> taken;
  for (int i = 0; i < times; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call(i);
    taken.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(taken.begin(), taken.begin() + times / 2, taken.end());
  return taken[static_cast<std::size_t>(times / 2)];
}

int Measure(const std::filesystem::path& folder) {
  const auto file = folder / "history.db";
  auto database = dbschema::OpenForWriting(file);
  dbschema::Migrate(database);
  ingestor::MeshStore store(std::move(database), {});
  std::mt19937_64 random(1);
  std::vector<PublicKey> keys;
  std::vector<IdentityKey> nodes;
  {
    ingestor::StoreTransaction transaction(store);
    for (int i = 0; i < kNodes; ++i) {
      keys.push_back(RandomKey(random));
      nodes.push_back(store.identities().KeyOf(keys.back()));
    }
    transaction.Commit();
  }
  store.Checkpoint();
  const auto before = std::filesystem::file_size(file);
  for (int i = 0; i < kCommits; ++i) Commit(store, nodes, i, random);
  store.Checkpoint();
  const auto bytes = std::filesystem::file_size(file) - before;

  server::ReaderConnection reader(file);
  const server::ReadTransaction moment(reader, std::chrono::minutes(1));
  const server::BranchLine main = server::BranchNamed(reader, "main");
  const server::EntityKind& kind = *server::FindEntityKind("node");
  const double as_of = MedianMs(200, [&](int i) {
    if (server::CapabilitiesAt(reader, main, 2 + (i * 5) % kCommits).empty())
      throw std::logic_error("nothing was read");
  });
  const double entity = MedianMs(10'000, [&](int i) {
    const PublicKey& key = keys[static_cast<std::size_t>(i % kNodes)];
    server::StateAt(reader, kind, Bytes(key.bytes().begin(), key.bytes().end()), main, 2 + i % kCommits);
  });
  std::printf("{\"bytes\": %lld, \"as_of_ms\": %.4f, \"entity_ms\": %.5f}\n", static_cast<long long>(bytes),
              as_of, entity);
  return 0;
}

}  // namespace
}  // namespace heliograph

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: history_benchmark FOLDER\n", stderr);
    return 2;
  }
  return heliograph::Measure(argv[1]);
}
