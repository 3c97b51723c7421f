#include "server/analytics/flood_window.h"

#include <algorithm>
#include <utility>

namespace heliograph::server {
namespace {

/// The step that stands for `hop` after `parent`, made when it is new; nothing when there is no room.
std::optional<std::int16_t> StepAfter(Flood& flood, std::int16_t parent, HopKey hop, std::size_t limit) {
  for (std::size_t i = static_cast<std::size_t>(parent + 1); i < flood.steps.size(); ++i) {
    if (flood.steps[i].parent == parent && flood.steps[i].hop == hop) return static_cast<std::int16_t>(i);
  }
  if (flood.steps.size() >= limit) return std::nullopt;
  flood.steps.push_back({parent, hop});
  return static_cast<std::int16_t>(flood.steps.size() - 1);
}

void Take(Flood& flood, const Reception& reception, std::size_t limit) {
  flood.first_heard = std::min(flood.first_heard, reception.received_at);
  flood.last_heard = std::max(flood.last_heard, reception.received_at);
  std::int16_t step = FloodStep::kOrigin;
  for (std::size_t at = 0; at + flood.hash_size <= reception.path.size(); at += flood.hash_size) {
    const auto next = StepAfter(flood, step, HopKeyOf(reception.path.data() + at, flood.hash_size), limit);
    if (!next) return;
    step = *next;
  }
  const auto same = [&](const FloodHearing& hearing) {
    return hearing.step == step && hearing.observer == reception.observer;
  };
  if (flood.hearings.size() >= limit || std::any_of(flood.hearings.begin(), flood.hearings.end(), same))
    return;
  flood.hearings.push_back({step, reception.observer, reception.sent, reception.snr_db});
}

}  // namespace

void FloodWindow::Add(const Reception& reception) {
  // The bytes of a TRACE are signal levels, and the path of a direct packet is a plan.
  if (!IsFlood(reception.route) || reception.type == PayloadType::kTrace) return;
  newest_ = std::max(newest_, reception.received_at);
  while (!open_.empty() && newest_ - open_.front().flood.first_heard > limits_.age) HandOnFront();

  const std::size_t size = reception.path_length.hash_size();
  const std::int64_t key = reception.transmission * 4 + static_cast<std::int64_t>(size);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (open_.size() >= limits_.floods) HandOnFront();
    Flood flood;
    flood.transmission = reception.transmission;
    flood.hash_size = static_cast<std::uint8_t>(size);
    flood.origin = reception.origin;
    flood.first_heard = flood.last_heard = reception.received_at;
    open_.push_back({std::move(flood), round_});
    found = by_key_.emplace(key, std::prev(open_.end())).first;
  }
  found->second->touched = round_;
  Take(found->second->flood, reception, limits_.steps);
}

void FloodWindow::HandOnFront() {
  Flood& flood = open_.front().flood;
  by_key_.erase(flood.transmission * 4 + flood.hash_size);
  sink_(std::move(flood));
  open_.pop_front();
}

void FloodWindow::HandOnIdle() {
  for (auto at = open_.begin(); at != open_.end();) {
    const auto next = std::next(at);
    if (at->touched < round_) {
      open_.splice(open_.begin(), open_, at);
      HandOnFront();
    }
    at = next;
  }
  ++round_;
}

std::vector<const Flood*> FloodWindow::OpenFloods() const {
  std::vector<const Flood*> floods;
  floods.reserve(open_.size());
  for (const Open& open : open_) floods.push_back(&open.flood);
  return floods;
}

void FloodWindow::HandOnAll() {
  while (!open_.empty()) HandOnFront();
}

}  // namespace heliograph::server
