#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "server/analytics/flood.h"

namespace heliograph::server {

/// Takes floods on a thread of its own, one after the other in their order, while its owner reads on. For the
/// length of one page: what is taken in meanwhile is the owner's again after Finish. Used by one thread.
class FloodLane {
 public:
  /// `take` is called on the lane's thread only, and does not touch what the owner touches before Finish.
  explicit FloodLane(std::function<void(const Flood&)> take);
  /// Waits until all are taken.
  ~FloodLane();
  FloodLane(const FloodLane&) = delete;
  FloodLane& operator=(const FloodLane&) = delete;

  void Put(Flood&& flood);
  /// Waits until all are taken, and throws what `take` threw; what came after that was not taken. Nothing is
  /// put afterwards.
  void Finish();

 private:
  void Run();

  const std::function<void(const Flood&)> take_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Flood> waiting_;  ///< guarded by mutex_
  bool ending_ = false;         ///< guarded by mutex_
  std::exception_ptr failure_;  ///< the lane's; to be read when the thread has ended
  std::thread thread_;
};

}  // namespace heliograph::server
