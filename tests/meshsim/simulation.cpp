#include "tests/meshsim/simulation.h"

#include <algorithm>

namespace heliograph::meshsim {
namespace {

constexpr std::chrono::seconds kStatusPeriod(300);
constexpr std::uint64_t kStatusNumbers = std::uint64_t{1}
                                         << 62;  // statuses come after packets of the same time
constexpr double kLeastIntervalMillis = 0.05;    // time goes on though nobody hears anything
constexpr int kTrialTransmissions = 600;

enum Stream : std::uint64_t { kLife = 10, kTraffic, kDelivery, kWriter, kOwn, kTrial, kConnections = 20 };

}  // namespace

Simulation::Simulation(World& world, const ObserverSet& observers, const SimulationOptions& options,
                       double natural, const Random& random)
    : options_(options),
      life_(world, options.life, ListenersOf(observers), options.start, random.Fork(kLife)),
      connections_(observers.observers.size(), options.observer_outages_per_day, options.start,
                   random.Fork(kConnections)),
      random_(random.Fork(kOwn)),
      traffic_(world, observers, life_.states(), options.advert_share, random.Fork(kTraffic)),
      delivery_(world, observers, random.Fork(kDelivery)),
      writer_(world, observers, life_.states(), options.start, random.Fork(kWriter)),
      tally_(world.nodes.size()),
      observers_(observers),
      node_count_(world.nodes.size()),
      seen_online_(observers.observers.size(), 0),
      next_status_number_(kStatusNumbers) {
  if (options.observation_aim) aim_.emplace(*options.observation_aim, std::max(1.0, natural));
  for (std::uint32_t i = 0; i < observers.observers.size(); ++i) {
    const std::chrono::milliseconds wait(random_.Below(300'000));
    statuses_.push({options.start + wait, i});
  }
}

void Simulation::Run(Pace& pace, const LineSink& sink) {
  UtcMillis now = options_.start;
  std::size_t statuses = 0;
  while (!options_.end || now < *options_.end) {
    life_.AdvanceTo(now);
    const std::size_t messages = SendNext(now);
    const UtcMillis next = now + Interval(now, messages + statuses);
    statuses = ScheduleStatuses(next);
    if (!Emit(next, pace, sink)) return;
    now = next;
  }
  Emit(UtcMillis::max(), pace, sink);
}

std::size_t Simulation::SendNext(UtcMillis now) {
  broadcasts_.clear();
  traffic_.Next(now, broadcasts_);
  std::size_t messages = 0;
  for (Broadcast& broadcast : broadcasts_) {
    LoseInOutages(broadcast.propagation.hearings);
    if (broadcast.propagation.hearings.empty()) continue;
    if (aim_) aim_->Thin(broadcast.propagation.hearings, random_);
    delivered_.clear();
    delivery_.Deliver(broadcast, delivered_);
    messages += delivered_.size();
    if (delivered_.front().first_of_transmission) {
      traffic_.NoteHeard(broadcast.content->payload_type == PayloadType::kAdvert);
    }
    const auto observations = std::ranges::count(delivered_, true, &Message::first_of_observation);
    if (aim_) aim_->NoteObservations(static_cast<std::size_t>(observations));
    for (Message& message : delivered_) pending_.push(std::move(message));
  }
  return messages;
}

void Simulation::LoseInOutages(std::vector<Hearing>& hearings) {
  std::erase_if(hearings, [this](const Hearing& hearing) {
    return !connections_.IsUp(static_cast<std::uint32_t>(observers_.by_node[hearing.listener]), hearing.at);
  });
}

std::chrono::milliseconds Simulation::Interval(UtcMillis now, std::size_t messages) {
  double mean_ms = 0;
  if (options_.messages_per_second) {
    mean_ms =
        std::max(kLeastIntervalMillis, 1000 * static_cast<double>(messages) / *options_.messages_per_second);
  } else {
    const double per_day =
        options_.packets_per_node_day * static_cast<double>(node_count_) * Life::Activity(now);
    mean_ms = 86'400'000 / per_day;
  }
  owed_millis_ += random_.Exponential(mean_ms);
  const auto whole = static_cast<std::int64_t>(owed_millis_);
  owed_millis_ -= static_cast<double>(whole);
  return std::chrono::milliseconds(whole);
}

std::size_t Simulation::ScheduleStatuses(UtcMillis before) {
  std::size_t count = 0;
  while (!statuses_.empty() && statuses_.top().at < before) {
    StatusTurn turn = statuses_.top();
    statuses_.pop();
    const bool online = life_.states()[observers_.observers[turn.observer].node].up;
    const bool connected = connections_.IsUp(turn.observer, turn.at);
    if (connected && (online || seen_online_[turn.observer] != 0)) {
      Message message;
      message.heard = turn.at;
      message.received = turn.at + std::chrono::milliseconds(40);
      message.number = next_status_number_++;
      message.observer = turn.observer;
      message.online = online;
      pending_.push(std::move(message));
      ++count;
    }
    if (connected) seen_online_[turn.observer] = online ? 1 : 0;
    turn.at += kStatusPeriod;
    statuses_.push(turn);
  }
  return count;
}

bool Simulation::Emit(UtcMillis before, Pace& pace, const LineSink& sink) {
  while (!pending_.empty() && pending_.top().received < before) {
    if (options_.message_limit && tally_.totals().messages >= *options_.message_limit) return false;
    const Message message = pending_.top();
    pending_.pop();
    const std::optional<UtcMillis> stamp = pace.Await(message.received);
    if (!stamp) return false;
    if (!sink(writer_.Line(message, *stamp))) return false;
    tally_.Count(message, *stamp);
  }
  return !options_.message_limit || tally_.totals().messages < *options_.message_limit;
}

double NaturalObservations(const World& world, const ObserverSet& observers, const SimulationOptions& options,
                           const Random& random) {
  const NodeStates states = StatesAtStart(world.nodes, options.start);
  Traffic traffic(world, observers, states, options.advert_share, random.Fork(kTrial));
  Delivery delivery(world, observers, random.Fork(kTrial + 1));
  std::vector<Broadcast> broadcasts;
  std::vector<Message> messages;
  double heard = 0, observations = 0;
  for (int i = 0; i < kTrialTransmissions; ++i) {
    broadcasts.clear();
    messages.clear();
    traffic.Next(options.start, broadcasts);
    for (Broadcast& broadcast : broadcasts) delivery.Deliver(broadcast, messages);
    for (const Message& message : messages) {
      if (message.first_of_transmission) {
        heard += 1;
        traffic.NoteHeard(message.content->payload_type == PayloadType::kAdvert);
      }
      if (message.first_of_observation) observations += 1;
    }
  }
  return heard == 0 ? 0 : observations / heard;
}

}  // namespace heliograph::meshsim
