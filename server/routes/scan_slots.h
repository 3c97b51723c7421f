#pragma once

#include <chrono>
#include <semaphore>

#include "server/http/problem.h"

namespace heliograph::server {

/// How many requests may search through the packet tables at one moment. There are more readers than slots,
/// so that a request which costs little always finds a reader. Thread-safe.
class ScanSlots {
 public:
  static constexpr std::ptrdiff_t kSlots = 2;

  /// One slot, held while the object lives.
  class Lease {
   public:
    /// Waits up to `patience`; throws ProblemError(503) with Retry-After when no slot was free by then.
    explicit Lease(ScanSlots& slots, std::chrono::milliseconds patience = std::chrono::seconds(2))
        : free_(slots.free_) {
      if (free_.try_acquire_for(patience)) return;
      throw ProblemError(503, "other searches through the packets are under way; try again in a moment", 2);
    }
    ~Lease() { free_.release(); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    std::counting_semaphore<kSlots>& free_;
  };

 private:
  std::counting_semaphore<kSlots> free_{kSlots};
};

}  // namespace heliograph::server
