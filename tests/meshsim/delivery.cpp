#include "tests/meshsim/delivery.h"

#include <algorithm>
#include <cstring>

namespace heliograph::meshsim {
namespace {

constexpr double kSecondBrokerShare = 0.3;  // of the messages of an observer with two brokers

std::chrono::milliseconds PublishLatency(Random& random) {
  const double tail = random.Chance(0.02) ? 1500 : 120;
  return std::chrono::milliseconds(30 + static_cast<std::int64_t>(random.Unit() * tail));
}

/// The order of (observer, path_len, path).
int CompareKeys(const Transmission& content, const Message& a, const Message& b) {
  if (a.observer != b.observer) return a.observer < b.observer ? -1 : 1;
  if (a.path_length != b.path_length) return a.path_length < b.path_length ? -1 : 1;
  return a.path_length.path_bytes() == 0
             ? 0
             : std::memcmp(content.path_bytes.data() + a.path_begin, content.path_bytes.data() + b.path_begin,
                           a.path_length.path_bytes());
}

}  // namespace

Delivery::Delivery(const World& world, const ObserverSet& observers, Random random)
    : world_(world), observers_(observers), random_(random) {}

void Delivery::Deliver(Broadcast& broadcast, std::vector<Message>& out) {
  const std::size_t begin = out.size();
  written_.assign(broadcast.propagation.sendings.size(), Place{});
  for (const Hearing& hearing : broadcast.propagation.hearings) {
    Message message;
    message.content = broadcast.content;
    message.heard = hearing.at;
    message.received = hearing.at + PublishLatency(random_);
    message.observer = static_cast<std::uint32_t>(observers_.by_node[hearing.listener]);
    message.snr_db = hearing.snr_db;
    message.own = hearing.own;
    message.path_length = WritePath(broadcast, hearing, message);
    out.push_back(std::move(message));
  }
  MarkFirsts(*broadcast.content, out, begin);
  AddSecondBroker(out, begin);
  for (std::size_t i = begin; i < out.size(); ++i) out[i].number = next_number_++;
}

PathLength Delivery::WritePath(Broadcast& broadcast, const Hearing& hearing, Message& message) {
  Transmission& content = *broadcast.content;
  Place& place = written_[hearing.sending];
  const bool first = place.path_begin < 0;
  if (first) {
    place.path_begin = static_cast<std::int64_t>(content.path_bytes.size());
    place.hops_begin = static_cast<std::uint32_t>(content.hops.size());
  }
  message.path_begin = static_cast<std::uint32_t>(place.path_begin);
  message.hops_begin = place.hops_begin;
  switch (broadcast.path_style) {
    case PathStyle::kRecorded: {
      const std::uint32_t hops = broadcast.propagation.sendings[hearing.sending].hops;
      if (first) WriteRecordedPath(broadcast, hearing.sending);
      message.hop_count = static_cast<std::uint8_t>(hops);
      return PathLength::Of(broadcast.hash_size, hops).value();
    }
    case PathStyle::kPlanned: {
      if (broadcast.route.empty()) return PathLength();
      for (std::size_t i = hearing.sending; first && i < broadcast.route.size(); ++i) {
        const ByteView key = world_.nodes[broadcast.route[i]].keys.public_key().bytes();
        content.path_bytes.insert(content.path_bytes.end(), key.begin(),
                                  key.begin() + static_cast<std::ptrdiff_t>(broadcast.hash_size));
      }
      return PathLength::Of(broadcast.hash_size, broadcast.route.size() - hearing.sending).value();
    }
    case PathStyle::kFixed:
      break;
  }
  if (first) {
    content.path_bytes.insert(content.path_bytes.end(), broadcast.fixed_path.begin(),
                              broadcast.fixed_path.end());
  }
  return PathLength::FromByte(static_cast<std::uint8_t>(broadcast.fixed_path.size())).value();
}

void Delivery::WriteRecordedPath(Broadcast& broadcast, std::uint32_t sending) {
  Transmission& content = *broadcast.content;
  const auto& sendings = broadcast.propagation.sendings;
  const std::size_t hops = sendings[sending].hops;
  const std::size_t path_begin = content.path_bytes.size(), hops_begin = content.hops.size();
  content.path_bytes.resize(path_begin + hops * broadcast.hash_size);
  content.hops.resize(hops_begin + hops);
  std::size_t at = sending;
  for (std::size_t i = hops; i-- > 0;) {
    const NodeIndex node = sendings[at].node;
    content.hops[hops_begin + i] = node;
    std::memcpy(content.path_bytes.data() + path_begin + i * broadcast.hash_size,
                world_.nodes[node].keys.public_key().bytes().data(), broadcast.hash_size);
    at = static_cast<std::size_t>(sendings[at].heard_from);
  }
}

void Delivery::MarkFirsts(const Transmission& content, std::vector<Message>& out, std::size_t begin) {
  const auto earlier = [&out](std::size_t a, std::size_t b) {
    return out[a].received != out[b].received ? out[a].received < out[b].received : a < b;
  };
  std::ranges::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), {},
                           &Message::received);
  order_.clear();
  for (std::size_t i = begin; i < out.size(); ++i) order_.push_back(static_cast<std::uint32_t>(i));
  std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
    const int keys = CompareKeys(content, out[a], out[b]);
    return keys != 0 ? keys < 0 : earlier(a, b);
  });
  for (std::size_t i = 0; i < order_.size(); ++i) {
    out[order_[i]].first_of_observation =
        i == 0 || CompareKeys(content, out[order_[i - 1]], out[order_[i]]) != 0;
  }
  if (begin == out.size()) return;
  AirRecord* record = content.record.get();
  out[begin].first_of_transmission = record == nullptr || !record->heard;
  if (record == nullptr) return;
  record->heard = true;
  auto& known = record->zero_path_observers;
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (out[i].path_length.byte() != 0 || !out[i].first_of_observation) continue;
    if (std::ranges::find(known, out[i].observer) != known.end()) {
      out[i].first_of_observation = false;
    } else {
      known.push_back(out[i].observer);
    }
  }
}

void Delivery::AddSecondBroker(std::vector<Message>& out, std::size_t begin) {
  const std::size_t end = out.size();
  for (std::size_t i = begin; i < end; ++i) {
    if (!observers_.observers[out[i].observer].two_brokers || !random_.Chance(kSecondBrokerShare)) continue;
    Message again = out[i];
    again.received += std::chrono::milliseconds(1 + random_.Below(300));
    again.first_of_observation = false;
    again.first_of_transmission = false;
    out.push_back(std::move(again));
  }
}

}  // namespace heliograph::meshsim
