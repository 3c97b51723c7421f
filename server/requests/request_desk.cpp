#include "server/requests/request_desk.h"

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

constexpr const char* kActor = "http";
constexpr int kRetryAfterSeconds = 5;

[[noreturn]] void Refuse(const queue::PublishError& error) {
  switch (error.fault) {
    case queue::PublishFault::kPayloadTooLarge:
      throw ProblemError(413, error.text);
    case queue::PublishFault::kInvalidFields:
      throw ProblemError(500, error.text);
    case queue::PublishFault::kDurabilityUnknown:
      if (!error.file) break;
      throw UncertainRequest(error.file->id, error.text +
                                                 "; it may still be carried out: look at /api/requests/" +
                                                 error.file->id.ToText() + " before you repeat it");
    case queue::PublishFault::kFolderFull:
    case queue::PublishFault::kSequenceExhausted:
    case queue::PublishFault::kIo:
      throw ProblemError(503, error.text, kRetryAfterSeconds);
  }
  throw ProblemError(500, error.text);
}

}  // namespace

Ulid RequestDesk::Publish(const QueuedRequest& request) {
  const auto view = views_.Current();
  if (!view) throw ProblemError(503, "the database has not been read yet; try again in a moment", 1);
  try {
    ledger_.Observe(view->epoch);
  } catch (const DatabaseUnavailable& error) {
    throw ProblemError(503, error.what(), kRetryAfterSeconds);
  }
  queue::EnvelopeFields fields;
  fields.kind = request.kind;
  fields.stream = request.stream;
  fields.epoch = request.epoch.value_or(view->epoch);
  fields.branch_id = request.branch_id;
  fields.base_commit_seq = request.base_commit_seq.value_or(view->head_seq);
  fields.watermark = request.watermark.value_or(view->watermark);
  fields.actor = request.actor.value_or(kActor);
  fields.created_at = WallClockNow();
  const auto published = publisher_.Publish(fields, request.payload);
  if (!published) Refuse(published.error());
  return published->id;
}

bool RequestDesk::IsPending(const Ulid& id) const {
  const auto pending = publisher_.Holds(id);
  if (!pending) throw ProblemError(503, pending.error().text, kRetryAfterSeconds);
  return *pending;
}

}  // namespace heliograph::server
