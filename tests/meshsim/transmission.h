#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/packet.h"
#include "tests/meshsim/propagation.h"
#include "tests/meshsim/route.h"

namespace heliograph::meshsim {

/// What is known of a content that may go on the air more than once: an advert that others share later.
struct AirRecord {
  bool heard = false;                              ///< some observer published it already
  std::vector<std::uint32_t> zero_path_observers;  ///< those that published it with a path_len byte of 0
};

/// One packet, apart from its path.
struct Transmission {
  NodeIndex origin = 0;   ///< who sent it first
  NodeIndex subject = 0;  ///< whom an advert describes: not the origin when it is shared
  RouteType route = RouteType::kFlood;
  PayloadType payload_type = PayloadType::kRequest;
  TransportCodes codes;  ///< counts only when HasTransportCodes(route)
  Bytes payload;
  std::string payload_hex;            ///< upper-case
  std::string hash_hex;               ///< upper-case content hash
  std::shared_ptr<AirRecord> record;  ///< of adverts only
  Bytes path_bytes;                   ///< the paths of all its messages, end to end
  std::vector<NodeIndex> hops;        ///< the same as nodes; of floods only
};

/// What the path field of each frame of a transmission holds.
enum class PathStyle : std::uint8_t {
  kRecorded,  ///< a flood: who sent it so far
  kPlanned,   ///< direct: who has still to send it
  kFixed,     ///< the same bytes in each frame: SNR values of a TRACE, or nothing
};

/// A transmission with what became of it.
struct Broadcast {
  std::shared_ptr<Transmission> content;
  PathStyle path_style = PathStyle::kFixed;
  std::size_t hash_size = 1;
  Route route;       ///< of kPlanned
  Bytes fixed_path;  ///< of kFixed; its length is the path_len byte
  Propagation propagation;
};

/// One line of the capture to come: a packet, or the status of an observer.
struct Message {
  UtcMillis received;                           ///< at the broker
  std::uint64_t number = 0;                     ///< the order among messages of the same time
  std::shared_ptr<const Transmission> content;  ///< null for a status
  UtcMillis heard;
  std::uint32_t observer = 0;
  std::uint32_t path_begin = 0;  ///< in content->path_bytes
  std::uint32_t hops_begin = 0;  ///< in content->hops
  float snr_db = 0;
  PathLength path_length;
  std::uint8_t hop_count = 0;          ///< in content->hops
  bool own = false;                    ///< sent by the observer itself
  bool first_of_observation = false;   ///< no earlier message has its content, observer, path_len and path
  bool first_of_transmission = false;  ///< no earlier message has its content
  bool online = true;                  ///< of a status

  bool operator>(const Message& other) const {
    return received != other.received ? received > other.received : number > other.number;
  }
};

}  // namespace heliograph::meshsim
