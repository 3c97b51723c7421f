#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ingestor/prepared.h"
#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// Whether a submitted batch became durable; shared by the source that waits and the writer that decides.
class BatchOutcome;

/// A batch on its way to the writer, which owns it from Next on. A batch that is destroyed without Committed
/// has failed: whoever waits for it learns that it must not be acknowledged. Move-only.
class PreparedBatch {
 public:
  PreparedBatch(std::vector<Prepared> messages, std::shared_ptr<BatchOutcome> outcome);
  PreparedBatch(PreparedBatch&& other) noexcept = default;
  PreparedBatch& operator=(PreparedBatch&& other) noexcept;
  ~PreparedBatch();

  /// In the order in which the source handed them over.
  std::vector<Prepared>& messages() { return messages_; }
  const std::vector<Prepared>& messages() const { return messages_; }
  /// True when a source waits for this very batch.
  bool IsAwaited() const { return outcome_ != nullptr; }
  /// To be called after the transaction that holds the batch is committed. Thread-safe towards the waiter.
  void Committed();

 private:
  void Finish(bool committed);

  std::vector<Prepared> messages_;
  std::shared_ptr<BatchOutcome> outcome_;
};

/// The bounded way from the sources to the writer: takes batches, prepares them on several threads at once,
/// and gives them out in the order in which they were submitted. Nothing is lost or reordered, and nothing is
/// dropped for want of room: a source waits.
///
/// Shutting down in good order: stop the sources, CloseIntake, then Next until IsDrained. Stop is for giving
/// up. All methods are thread-safe; Next is for one thread. The destructor may be called at any time at which
/// nobody calls Next: it stops, and returns when the callers of Submit have left.
class Pipeline final : public MessageSink {
 public:
  struct Options {
    std::size_t capacity = 50000;  ///< messages between Submit and Next; a batch above it passes alone
    unsigned workers = 0;          ///< 0: one less than the machine has cores, but at least one
    /// Of topics and payloads, while they wait to be prepared; a batch above it passes alone.
    std::size_t capacity_bytes = 64 << 20;
  };
  /// Turns one message into what the writer stores. Called from several threads at once.
  using Prepare = std::function<Prepared(const Receipt&)>;

  Pipeline(Prepare prepare, Options options);
  ~Pipeline() override;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  bool Submit(std::vector<Receipt> batch) override;
  bool SubmitAndWait(std::vector<Receipt> batch) override;

  /// The next batch in order, waiting at most `timeout` for it; nothing when none was ready in time, or when
  /// none will come any more. Rethrows what `prepare` threw for the batch, which is then lost, as are those
  /// behind it: the writer must end.
  std::optional<PreparedBatch> Next(std::chrono::milliseconds timeout);

  /// True while a source waits for a commit. A writer that finds nothing ready (Next with a timeout of zero)
  /// commits at once then.
  bool WaiterPresent() const;

  /// From now on Submit refuses; what was taken before still comes out of Next.
  void CloseIntake();
  /// True when the intake is closed, or the pipeline stopped, and Next has given out everything that it will.
  bool IsDrained() const;
  /// Gives up: wakes everybody, refuses everything, gives out nothing more. Batches that the writer has not
  /// committed count as failed for those who wait. May be called more than once.
  void Stop();

  /// Messages taken and not yet given out.
  std::size_t Depth() const;
  /// Times that a source had to wait for room.
  std::uint64_t StallCount() const;

 private:
  struct Slot;

  bool Enqueue(std::vector<Receipt> batch, std::shared_ptr<BatchOutcome> outcome);
  void Work();
  void PrepareSlot(Slot& slot);

  const Prepare prepare_;
  const std::size_t capacity_, capacity_bytes_;

  mutable std::mutex mutex_;
  std::condition_variable room_, work_, ready_, left_;
  std::deque<std::shared_ptr<Slot>>
      slots_;                  ///< in order of submission; the front is the next to be given out
  std::size_t unclaimed_ = 0;  ///< slots at the end of slots_ that no worker has claimed
  std::size_t depth_ = 0;
  std::size_t unprepared_bytes_ = 0;
  std::size_t callers_ = 0;                 ///< threads inside Submit and SubmitAndWait
  std::size_t turn_ = 0, next_ticket_ = 0;  ///< sources wait for room in the order of their coming
  std::vector<std::weak_ptr<BatchOutcome>> awaited_;
  std::uint64_t stalls_ = 0;
  bool closed_ = false, stopped_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace heliograph::ingestor
