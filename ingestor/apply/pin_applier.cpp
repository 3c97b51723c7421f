#include "common/failpoint.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/request_payload.h"
#include "ingestor/store/commit_lookup.h"
#include "ingestor/store/pin_store.h"

namespace heliograph::ingestor {
namespace {

Verdict Rejected(const std::string& why) {
  return Verdict::Of(Outcome::kRejected, why);
}

Verdict RemovePin(PinStore& pins, const std::string& name) {
  if (!pins.Remove(name)) return Verdict::Of(Outcome::kNoop, "there is no pin " + name);
  HELIOGRAPH_FAILPOINT(kPinAfterWrite);
  return Verdict::Of(Outcome::kDone, "the pin " + name + " is removed");
}

tl::expected<std::optional<UtcMillis>, std::string> ExpiryOf(const nlohmann::json& request, UtcMillis now) {
  const auto text = OptionalTextOf(request, "expires_at");
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::optional<UtcMillis>();
  const auto parsed = ParseTime(**text);
  if (!parsed || parsed->zone != TimeZoneKnowledge::kStated)
    return tl::unexpected(std::string("expires_at is no time of RFC 3339 with Z or an offset"));
  if (parsed->time <= now) return tl::unexpected(std::string("expires_at lies in the past"));
  return std::optional(parsed->time);
}

Verdict SetPin(const ApplyContext& context, const queue::QueueFile& file, const nlohmann::json& request,
               const std::string& name) {
  if (!IsHistoryName(name))
    return Rejected("a pin's name has 1 to 64 of the characters a-z, 0-9, '.', '_' and '-'");
  const auto commit_name = TextOf(request, "commit");
  if (!commit_name) return Rejected(commit_name.error());
  const auto expires_at = ExpiryOf(request, context.now);
  if (!expires_at) return Rejected(expires_at.error());
  const auto commit = LookUpCommit(context.store.database(), *commit_name);
  if (!commit) return Rejected(commit.error());

  PinStore pins(context.store.database());
  const PinStore::Pin wanted{commit->seq, *expires_at};
  const auto present = pins.Find(name);
  if (present == wanted) return Verdict::Of(Outcome::kNoop, "the pin " + name + " is there already");
  if (present && present->commit != wanted.commit) {
    return Verdict::Of(Outcome::kConflict, "the pin " + name + " names commit " +
                                               std::to_string(static_cast<std::int64_t>(present->commit)) +
                                               "; remove it first");
  }
  pins.Set(name, wanted, file.envelope.actor, context.now);
  HELIOGRAPH_FAILPOINT(kPinAfterWrite);
  return Verdict::Of(Outcome::kDone, "commit " + *commit_name + " is kept under the name " + name);
}

}  // namespace

Verdict ApplyPin(const ApplyContext& context, const queue::QueueFile& file) {
  const auto request = ObjectOf(file.payload);
  if (!request) return Rejected(request.error());
  const auto action = TextOf(*request, "action");
  const auto name = TextOf(*request, "name");
  if (!action) return Rejected(action.error());
  if (!name) return Rejected(name.error());
  PinStore pins(context.store.database());
  if (*action == "remove") return RemovePin(pins, *name);
  if (*action == "set") return SetPin(context, file, *request, *name);
  return Rejected("action must be set or remove");
}

}  // namespace heliograph::ingestor
