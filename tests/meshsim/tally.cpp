#include "tests/meshsim/tally.h"

#include <algorithm>

namespace heliograph::meshsim {

Tally::Tally(std::size_t node_count) : relayed_multibyte_(node_count, 0), advertised_(node_count, 0) {}

void Tally::Count(const Message& message, UtcMillis received) {
  ++totals_.messages;
  if (!totals_.first_received) totals_.first_received = received;
  totals_.last_received = received;
  if (!message.content) {
    ++totals_.status_messages;
    return;
  }
  ++totals_.packet_messages;
  const Transmission& content = *message.content;
  const bool advert = content.payload_type == PayloadType::kAdvert;
  if (advert) ++totals_.advert_messages;
  if (message.first_of_transmission) {
    ++totals_.transmissions;
    ++totals_.transmissions_by_type[static_cast<std::size_t>(content.payload_type)];
    if (advert) {
      ++totals_.adverts;
      advertised_[content.subject] = 1;
    }
  }
  if (!message.first_of_observation) return;
  ++totals_.observations;
  if (!IsFlood(content.route) || message.path_length.hash_size() < 2) return;
  ++totals_.multibyte_flood_observations;
  for (std::size_t i = 0; i < message.hop_count; ++i)
    ++relayed_multibyte_[content.hops[message.hops_begin + i]];
}

std::uint64_t Tally::NodesAdvertised() const {
  return static_cast<std::uint64_t>(std::ranges::count(advertised_, std::uint8_t{1}));
}

}  // namespace heliograph::meshsim
