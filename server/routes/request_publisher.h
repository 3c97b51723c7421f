#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/ulid.h"
#include "queue/envelope.h"
#include "server/http/problem.h"

namespace heliograph::server {

/// Something that a person asked for over HTTP, to be done by the ingestor.
struct QueuedRequest {
  queue::Kind kind{};
  std::string stream;
  std::string payload;
  std::int64_t branch_id = 1;  ///< main, unless it is to change another branch
  std::optional<std::string> epoch =
      std::nullopt;  ///< of the database that it was computed from; nothing: the present view's
  std::optional<std::int64_t> base_commit_seq =
      std::nullopt;                                      ///< what it rests on; nothing: the present view
  std::optional<std::int64_t> watermark = std::nullopt;  ///< of its input; nothing: the present view's
  std::optional<std::string> actor = std::nullopt;       ///< who asked; nothing: somebody over HTTP
};

/// The request is whole in the queue and may be carried out, but a power cut could still take it away.
class UncertainRequest : public ProblemError {
 public:
  UncertainRequest(const Ulid& id, const std::string& detail) : ProblemError(503, detail), id_(id) {}
  /// Under which the ledger will hold its outcome.
  const Ulid& id() const { return id_; }

 private:
  Ulid id_;
};

/// Hands requests to the queue. Thread-safe.
class RequestPublisher {
 public:
  virtual ~RequestPublisher() = default;

  /// Returns once the request is durable in the queue, with the id under which the ledger will hold its
  /// outcome. Throws ProblemError when it is not: 503 when the queue is full or cannot be written, 413 when
  /// the payload is too large. UncertainRequest is one of these.
  virtual Ulid Publish(const QueuedRequest& request) = 0;

  /// True while the request waits in the queue. A request that the ingestor takes is in the ledger before it
  /// leaves the queue, so look at the queue first and at the ledger after it. Throws ProblemError(503) when
  /// the queue cannot be read.
  virtual bool IsPending(const Ulid& id) const = 0;
};

}  // namespace heliograph::server
