#include "ingestor/pipeline.h"

#include <algorithm>
#include <utility>

namespace heliograph::ingestor {

class BatchOutcome {
 public:
  void Set(bool committed) {
    {
      const std::lock_guard lock(mutex_);
      if (committed_) return;
      committed_ = committed;
    }
    decided_.notify_all();
  }

  bool IsDecided() const {
    const std::lock_guard lock(mutex_);
    return committed_.has_value();
  }

  bool Wait() {
    std::unique_lock lock(mutex_);
    decided_.wait(lock, [this] { return committed_.has_value(); });
    return *committed_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable decided_;
  std::optional<bool> committed_;  ///< the first decision stays
};

PreparedBatch::PreparedBatch(std::vector<Prepared> messages, std::shared_ptr<BatchOutcome> outcome)
    : messages_(std::move(messages)), outcome_(std::move(outcome)) {}

PreparedBatch& PreparedBatch::operator=(PreparedBatch&& other) noexcept {
  if (this != &other) {
    Finish(false);
    messages_ = std::move(other.messages_);
    outcome_ = std::move(other.outcome_);
  }
  return *this;
}

PreparedBatch::~PreparedBatch() {
  Finish(false);
}

void PreparedBatch::Committed() {
  Finish(true);
}

void PreparedBatch::Finish(bool committed) {
  if (outcome_ != nullptr) std::exchange(outcome_, nullptr)->Set(committed);
}

namespace {

std::size_t BytesOf(const std::vector<Receipt>& batch) {
  std::size_t bytes = 0;
  for (const Receipt& receipt : batch) bytes += receipt.topic.size() + receipt.payload.size();
  return bytes;
}

}  // namespace

struct Pipeline::Slot {
  std::vector<Receipt> receipts;
  std::vector<Prepared> prepared;
  std::shared_ptr<BatchOutcome> outcome;
  std::exception_ptr failure;
  std::size_t size = 0, bytes = 0;
  bool ready = false;  ///< guarded by the pipeline's mutex; the members above belong to the worker until then
};

Pipeline::Pipeline(Prepare prepare, Options options)
    : prepare_(std::move(prepare)),
      capacity_(std::max<std::size_t>(options.capacity, 1)),
      capacity_bytes_(std::max<std::size_t>(options.capacity_bytes, 1)) {
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 2U);
  const unsigned count = options.workers > 0 ? options.workers : cores - 1;
  workers_.reserve(count);
  for (unsigned i = 0; i < count; ++i) workers_.emplace_back([this] { Work(); });
}

Pipeline::~Pipeline() {
  Stop();
  for (std::thread& worker : workers_) worker.join();
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return callers_ == 0; });
}

bool Pipeline::Submit(std::vector<Receipt> batch) {
  return Enqueue(std::move(batch), nullptr);
}

bool Pipeline::SubmitAndWait(std::vector<Receipt> batch) {
  return Enqueue(std::move(batch), std::make_shared<BatchOutcome>());
}

bool Pipeline::Enqueue(std::vector<Receipt> batch, std::shared_ptr<BatchOutcome> outcome) {
  const std::size_t size = batch.size();
  const std::size_t bytes = BytesOf(batch);
  std::unique_lock lock(mutex_);
  if (closed_ || stopped_) return false;
  if (size == 0) return true;
  ++callers_;
  const std::size_t ticket = next_ticket_++;
  const auto has_room = [&] {
    return turn_ == ticket && (depth_ == 0 || depth_ + size <= capacity_) &&
           (unprepared_bytes_ == 0 || unprepared_bytes_ + bytes <= capacity_bytes_);
  };
  if (!has_room()) ++stalls_;
  room_.wait(lock, [&] { return closed_ || stopped_ || has_room(); });
  const bool taken = !closed_ && !stopped_;
  if (taken) {
    ++turn_;
    auto slot = std::make_shared<Slot>();
    slot->receipts = std::move(batch);
    slot->outcome = outcome;
    slot->size = size;
    slot->bytes = bytes;
    unprepared_bytes_ += bytes;
    slots_.push_back(std::move(slot));
    ++unclaimed_;
    depth_ += size;
    if (outcome != nullptr) awaited_.push_back(outcome);
    work_.notify_one();
    if (turn_ != next_ticket_) room_.notify_all();
  }
  bool succeeded = taken;
  if (taken && outcome != nullptr) {
    lock.unlock();
    succeeded = outcome->Wait();
    lock.lock();
    std::erase_if(awaited_,
                  [&](const auto& waiting) { return waiting.expired() || waiting.lock() == outcome; });
  }
  if (--callers_ == 0) left_.notify_all();
  return succeeded;
}

void Pipeline::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopped_ || unclaimed_ > 0; });
    if (stopped_) return;
    const std::shared_ptr<Slot> slot = slots_[slots_.size() - unclaimed_];
    --unclaimed_;
    lock.unlock();
    PrepareSlot(*slot);
    lock.lock();
    slot->ready = true;
    unprepared_bytes_ -= slot->bytes;
    room_.notify_all();
    if (!slots_.empty() && slots_.front() == slot) ready_.notify_all();
  }
}

void Pipeline::PrepareSlot(Slot& slot) {
  try {
    slot.prepared.reserve(slot.receipts.size());
    for (const Receipt& receipt : slot.receipts) slot.prepared.push_back(prepare_(receipt));
  } catch (...) {
    slot.failure = std::current_exception();
  }
  slot.receipts = {};
}

std::optional<PreparedBatch> Pipeline::Next(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto is_settled = [this] {
    return stopped_ || (closed_ && slots_.empty()) || (!slots_.empty() && slots_.front()->ready);
  };
  if (!ready_.wait_for(lock, timeout, is_settled) || stopped_ || slots_.empty()) return std::nullopt;
  const std::shared_ptr<Slot> slot = std::move(slots_.front());
  slots_.pop_front();
  depth_ -= slot->size;
  room_.notify_all();
  if (closed_ && slots_.empty()) ready_.notify_all();
  lock.unlock();
  PreparedBatch batch(std::move(slot->prepared), std::move(slot->outcome));
  if (slot->failure != nullptr) std::rethrow_exception(slot->failure);
  return batch;
}

bool Pipeline::WaiterPresent() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(awaited_.begin(), awaited_.end(), [](const auto& waiting) {
    const std::shared_ptr<BatchOutcome> outcome = waiting.lock();
    return outcome != nullptr && !outcome->IsDecided();
  });
}

void Pipeline::CloseIntake() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
  ready_.notify_all();
}

bool Pipeline::IsDrained() const {
  const std::lock_guard lock(mutex_);
  return stopped_ || (closed_ && slots_.empty());
}

void Pipeline::Stop() {
  std::vector<std::weak_ptr<BatchOutcome>> awaited;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    awaited.swap(awaited_);
    room_.notify_all();
    work_.notify_all();
    ready_.notify_all();
  }
  for (const auto& waiting : awaited) {
    if (const auto outcome = waiting.lock()) outcome->Set(false);
  }
}

std::size_t Pipeline::Depth() const {
  const std::lock_guard lock(mutex_);
  return depth_;
}

std::uint64_t Pipeline::StallCount() const {
  const std::lock_guard lock(mutex_);
  return stalls_;
}

}  // namespace heliograph::ingestor
