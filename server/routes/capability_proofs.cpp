#include "server/routes/capability_proofs.h"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using Clock = std::chrono::steady_clock;
using SQLite::Statement;

/// Observations that are scanned between two looks at the clock.
constexpr std::int64_t kScanChunk = 50'000;
/// A hash of 3 bytes begins as the one of 2 does, so that one search finds both.
constexpr std::size_t kSharedPrefix = 2;
constexpr std::size_t kMinMultibyte = 2;

const std::string kProofColumns =
    "SELECT t.id, t.content_hash, t.payload_type, t.base_time + o.received_after, o.observer_key, "
    "o.path_len, o.path, t.origin_key ";

std::optional<CapabilityProof> ReadProof(Statement& row) {
  const auto length = PathLength::FromByte(static_cast<std::uint8_t>(row.getColumn(5).getInt()));
  if (!length) return std::nullopt;
  CapabilityProof proof;
  proof.transmission_id = row.getColumn(0).getInt64();
  proof.hash = ContentHash::FromBytes(BytesOf(row.getColumn(1))).value_or(ContentHash());
  proof.payload_type = static_cast<PayloadType>(row.getColumn(2).getInt() & 15);
  proof.received_at = TimeOf(row.getColumn(3));
  proof.observer_key = row.getColumn(4).getInt64();
  proof.hash_size = length->hash_size();
  Packet packet;
  packet.payload_type = proof.payload_type;
  packet.path_length = *length;
  packet.path = BytesOf(row.getColumn(6));
  proof.path = packet.Hops();
  proof.origin_key = NumberOf(row.getColumn(7));
  return proof;
}

/// Whether the only multi-byte advert, of size 2, is one that a 1-byte flood can have overflowed into.
bool IsUndecided(ReaderConnection& reader, const PublicKey& key, std::int64_t last) {
  Statement& row = reader.Prepared(
      "SELECT max(o.path_len < 64), max(o.path_len > 64) "
      "FROM identity AS i JOIN transmissions AS t ON t.origin_key = i.key "
      "JOIN observations AS o ON o.transmission_id = t.id "
      "WHERE i.public_key = ?1 AND t.payload_type = 4 AND o.route IN (0, 1) AND o.id <= ?2");
  row.bind(1, key.bytes().data(), static_cast<int>(key.bytes().size()));
  row.bind(2, last);
  if (!row.executeStep()) return false;
  return row.getColumn(0).getInt() != 0 && row.getColumn(1).getInt() == 0;
}

void FindOwnAdverts(ReaderConnection& reader, const PublicKey& key, const ProofSearch& search,
                    std::int64_t last, CapabilityProofs& found) {
  Statement& rows = reader.Prepared(kProofColumns +
                                    "FROM identity AS i JOIN transmissions AS t ON t.origin_key = i.key "
                                    "JOIN observations AS o ON o.transmission_id = t.id "
                                    "WHERE i.public_key = ?1 AND t.payload_type = 4 AND o.route IN (0, 1) "
                                    "AND o.path_len >= 64 AND o.id <= ?2 "
                                    "ORDER BY t.id DESC, o.id");
  rows.bind(1, key.bytes().data(), static_cast<int>(key.bytes().size()));
  rows.bind(2, last);
  std::unordered_set<std::int64_t> seen;
  while (rows.executeStep()) {
    auto proof = ReadProof(rows);
    if (!proof || !seen.insert(proof->transmission_id).second) continue;
    if (seen.size() > search.max_adverts) {
      found.truncated = true;
      return;
    }
    found.proofs.push_back(std::move(*proof));
  }
  if (found.proofs.size() == 1 && found.proofs.front().hash_size == 2)
    found.proofs.front().undecided = IsUndecided(reader, key, last);
}

/// The first hop that is the short name of `key`.
std::optional<std::size_t> HopOf(const CapabilityProof& proof, const PublicKey& key) {
  const auto hop = std::find_if(proof.path.begin(), proof.path.end(),
                                [&](const PathHash& hash) { return hash.Matches(key); });
  if (hop == proof.path.end() || proof.hash_size < kMinMultibyte) return std::nullopt;
  return static_cast<std::size_t>(hop - proof.path.begin());
}

struct IdRange {
  std::int64_t first = 0, last = -1;
};

IdRange ObservationsUpTo(ReaderConnection& reader, std::int64_t last) {
  Statement& row =
      reader.Prepared("SELECT (SELECT min(id) FROM observations), (SELECT max(id) FROM observations)");
  row.executeStep();
  if (row.getColumn(0).isNull()) return {};
  return {row.getColumn(0).getInt64(), std::min(last, row.getColumn(1).getInt64())};
}

/// Scans one range of observations, newest first. False when enough is found.
bool ScanHops(ReaderConnection& reader, const PublicKey& key, IdRange range, std::size_t max_hops,
              std::unordered_set<std::int64_t>& seen, CapabilityProofs& found) {
  Statement& rows = reader.Prepared(
      kProofColumns +
      "FROM observations AS o CROSS JOIN transmissions AS t ON t.id = o.transmission_id "
      "WHERE o.id BETWEEN ?1 AND ?2 AND o.route IN (0, 1) AND o.path_len > 64 AND instr(o.path, ?3) > 0 "
      "AND t.payload_type <> 9 "
      "AND (t.origin_key IS NULL OR t.origin_key IS NOT (SELECT key FROM identity WHERE public_key = ?4)) "
      "ORDER BY o.id DESC");
  rows.bind(1, range.first);
  rows.bind(2, range.last);
  rows.bind(3, key.bytes().data(), static_cast<int>(kSharedPrefix));
  rows.bind(4, key.bytes().data(), static_cast<int>(key.bytes().size()));
  while (rows.executeStep()) {
    auto proof = ReadProof(rows);
    if (!proof) continue;
    proof->hop = HopOf(*proof, key);
    if (!proof->hop || !seen.insert(proof->transmission_id).second) continue;
    if (seen.size() > max_hops) return false;
    found.proofs.push_back(std::move(*proof));
  }
  return true;
}

void FindHops(ReaderConnection& reader, const PublicKey& key, const ProofSearch& search, std::int64_t last,
              CapabilityProofs& found) {
  const auto deadline = Clock::now() + search.time_limit;
  const IdRange all = ObservationsUpTo(reader, last);
  std::unordered_set<std::int64_t> seen;
  for (std::int64_t end = all.last; end >= all.first; end -= kScanChunk) {
    const IdRange chunk{std::max(all.first, end - kScanChunk + 1), end};
    if (!ScanHops(reader, key, chunk, search.max_hops, seen, found) ||
        (chunk.first > all.first && Clock::now() > deadline)) {
      found.truncated = true;
      return;
    }
  }
}

}  // namespace

CapabilityProofs FindProofs(ReaderConnection& reader, const PublicKey& key, const ProofSearch& search) {
  const std::int64_t last = search.watermark.value_or(std::numeric_limits<std::int64_t>::max());
  CapabilityProofs found;
  FindOwnAdverts(reader, key, search, last, found);
  if (search.with_hops) FindHops(reader, key, search, last, found);
  return found;
}

}  // namespace heliograph::server
