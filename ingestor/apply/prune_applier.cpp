#include <nlohmann/json.hpp>

#include "common/public_key.h"
#include "ingestor/apply/applier.h"
#include "ingestor/store/node_removal.h"

namespace heliograph::ingestor {
namespace {

struct PruneRequest {
  std::string reason;
  std::vector<PublicKey> keys;
};

tl::expected<PruneRequest, std::string> Decode(const std::string& payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object() || !json.contains("public_keys") || !json["public_keys"].is_array())
    return tl::unexpected(std::string("the request is no object with an array public_keys"));
  PruneRequest request;
  if (json.contains("reason")) {
    if (!json["reason"].is_string()) return tl::unexpected(std::string("reason is no text"));
    request.reason = json["reason"].get<std::string>();
  }
  for (const auto& entry : json["public_keys"]) {
    const auto key = entry.is_string() ? PublicKey::FromHex(entry.get<std::string>()) : std::nullopt;
    if (!key)
      return tl::unexpected(std::string("an entry of public_keys is no key of 64 hexadecimal digits"));
    request.keys.push_back(*key);
  }
  return request;
}

}  // namespace

Verdict ApplyPruneRequest(const ApplyContext& context, const queue::QueueFile& file) {
  const auto request = Decode(file.payload);
  if (!request) return Verdict::Of(Outcome::kRejected, request.error());

  MeshStore& store = context.store;
  std::vector<IdentityKey> present;
  for (const PublicKey& key : request->keys)
    if (const auto node = store.identities().Find(key)) present.push_back(*node);
  CommitFacts author;
  author.stream = file.envelope.stream;
  author.actor = file.envelope.actor;
  author.authored_at = file.envelope.created_at;
  author.ledger_id = file.envelope.id.ToText();
  const std::string reason = request->reason.empty() ? "pruned" : request->reason;
  const auto [deleted, commit] = RemoveNodes(store, present, reason, std::move(author), context.now);

  Verdict verdict =
      Verdict::Of(commit ? Outcome::kApplied : Outcome::kDone,
                  std::to_string(deleted) + " of " + std::to_string(request->keys.size()) + " nodes deleted");
  verdict.commit = commit;
  verdict.result = nlohmann::json{{"deleted", deleted}, {"requested", request->keys.size()}}.dump();
  return verdict;
}

}  // namespace heliograph::ingestor
