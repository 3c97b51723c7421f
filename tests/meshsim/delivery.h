#pragma once

#include <vector>

#include "tests/meshsim/observer.h"
#include "tests/meshsim/random.h"
#include "tests/meshsim/transmission.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// Turns what observers heard into the messages that reach the brokers.
class Delivery {
 public:
  /// Keeps references to its arguments, which must outlive it.
  Delivery(const World& world, const ObserverSet& observers, Random random);

  /// Appends the messages of `broadcast` to `out`, in the order of arrival and marked as the first of their
  /// kind or not. Their paths go into the broadcast's content.
  void Deliver(Broadcast& broadcast, std::vector<Message>& out);

 private:
  struct Place {
    std::int64_t path_begin = -1;
    std::uint32_t hops_begin = 0;
  };
  PathLength WritePath(Broadcast& broadcast, const Hearing& hearing, Message& message);
  void WriteRecordedPath(Broadcast& broadcast, std::uint32_t sending);
  void MarkFirsts(const Transmission& content, std::vector<Message>& out, std::size_t begin);
  void AddSecondBroker(std::vector<Message>& out, std::size_t begin);

  const World& world_;
  const ObserverSet& observers_;
  Random random_;
  std::uint64_t next_number_ = 0;
  std::vector<Place> written_;  ///< where the path of each sending lies already
  std::vector<std::uint32_t> order_;
};

}  // namespace heliograph::meshsim
