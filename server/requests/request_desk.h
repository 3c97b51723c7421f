#pragma once

#include "queue/publisher.h"
#include "server/requests/ledger_numbers.h"
#include "server/routes/request_publisher.h"
#include "server/state/mesh_view.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// Hands what people ask for over HTTP, and the runs of jobs, to the volume's queue: resting on the present
/// view where the request does not say on what.
/// How many may wait is bounded by the publisher. Thread-safe.
class RequestDesk : public RequestPublisher {
 public:
  /// The arguments outlive the desk.
  RequestDesk(queue::Publisher& publisher, const MeshViewSource& views, ReaderPool& readers)
      : publisher_(publisher), views_(views), ledger_(publisher, readers) {}

  /// Throws ProblemError: 503 before the first view, when the queue is full or cannot be written, and when it
  /// is not certain that the file would survive a power cut (UncertainRequest, whose text names the id, for
  /// the request may still be carried out); 413 when the payload is too large.
  Ulid Publish(const QueuedRequest& request) override;
  bool IsPending(const Ulid& id) const override;

 private:
  queue::Publisher& publisher_;
  const MeshViewSource& views_;
  LedgerNumbers ledger_;
};

}  // namespace heliograph::server
