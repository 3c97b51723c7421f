#include "server/analytics/snapshot_stream.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "common/time.h"
#include "server/requests/ledger_outcome.h"

namespace heliograph::server {
namespace {

constexpr const char* kActor = "server:analytics";

using Result = StreamReport::Result;

StreamReport Report(Result result, std::optional<Ulid> id, std::string text) {
  StreamReport report;
  report.result = result;
  report.id = id;
  report.text = std::move(text);
  return report;
}

}  // namespace

StreamReport PlainReport(Result result, std::string text) {
  return Report(result, std::nullopt, std::move(text));
}

SnapshotStream::SnapshotStream(Settings settings, queue::Publisher& publisher, ReaderPool& readers)
    : settings_(std::move(settings)), publisher_(publisher), readers_(readers), ledger_(publisher, readers) {}

void SnapshotStream::Settle(const std::string& epoch) {
  ledger_.Observe(epoch);
  if (!last_ || last_settled_) return;
  // In this order: a file leaves `new` only after its outcome is in the ledger.
  const auto waits = publisher_.Holds(last_->id);
  const auto outcome =
      readers_.Read([&](ReaderConnection& connection) { return OutcomeOf(connection, last_->id); });
  if (!outcome) {
    if (!waits || *waits) return;
    spdlog::warn("the {} {} has vanished from the queue without an outcome", settings_.noun,
                 last_->id.ToText());
    last_.reset();
  }
  last_settled_ = true;
  if (!outcome) return;
  const auto& [name, reason] = *outcome;
  const bool refused = name == "rejected" || name == "wrong_epoch" || name == "stale" || name == "conflict";
  if (!refused) return;
  spdlog::warn("the {} {} was not stored: {} {}", settings_.noun, last_->id.ToText(), name, reason);
  // The same again would only be refused again, unless the database is another by now.
  if (name == "wrong_epoch" || name == "stale") last_.reset();
}

std::optional<StreamReport> SnapshotStream::FindOutstanding(const Basis& basis) const {
  const auto waiting = publisher_.Outstanding(settings_.name);
  if (!waiting) return Report(Result::kFailed, std::nullopt, waiting.error().text);
  if (waiting->empty()) return std::nullopt;
  const queue::Envelope& newest = waiting->back().envelope;
  if (settings_.supersede_pending && (newest.epoch != basis.epoch || newest.watermark < basis.watermark))
    return std::nullopt;
  return Report(Result::kPending, newest.id,
                "skipped: " + waiting->back().name + " still waits for the ingestor");
}

StreamReport SnapshotStream::Offer(const Basis& basis, const std::function<std::string()>& encode) {
  if (auto outstanding = FindOutstanding(basis)) return std::move(*outstanding);
  std::string payload = encode();
  if (last_ && last_->epoch == basis.epoch && last_->payload == payload)
    return Report(Result::kUnchanged, last_->id, "nothing changed since the last snapshot");
  queue::EnvelopeFields fields;
  fields.kind = settings_.kind;
  fields.stream = settings_.name;
  fields.epoch = basis.epoch;
  fields.base_commit_seq = basis.head_seq;
  fields.watermark = basis.watermark;
  fields.actor = kActor;
  fields.created_at = WallClockNow();
  const auto published = publisher_.Publish(fields, payload);
  if (!published && !published.error().file)
    return Report(Result::kFailed, std::nullopt, published.error().text);
  const queue::PublishedFile& file = published ? *published : *published.error().file;
  last_ = Published{file.id, basis.epoch, std::move(payload)};
  last_settled_ = false;
  return Report(Result::kPublished, file.id, "published " + file.name);
}

}  // namespace heliograph::server
