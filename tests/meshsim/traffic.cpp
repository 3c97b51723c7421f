#include "tests/meshsim/traffic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/meshsim/payload.h"

namespace heliograph::meshsim {

enum class Traffic::Kind : std::uint8_t {
  kChannelText,
  kChannelData,
  kText,
  kAck,
  kRequest,
  kResponse,
  kPathReturn,
  kAnonymousRequest,
  kTrace,
  kDiscoverRequest,
  kDiscoverResponse,
  kMultipartAck,
  kRawCustom,
  kFloodAdvert,
  kZeroHopAdvert,
  kSharedAdvert,
};

namespace {

// The shares of all but the adverts, in the order of Kind; after the Bay Area sample.
constexpr std::array kKindWeights = {0.42, 0.004, 0.13, 0.08, 0.11,  0.12, 0.05,
                                     0.04, 0.02,  0.01, 0.01, 0.004, 0.002};
constexpr std::array kAdvertWeights = {0.84, 0.11, 0.05};
constexpr double kScopedShare = 0.12;
constexpr double kDirectShare = 0.7;  // of private packets, when there is a route
constexpr double kForgetRoute = 0.04;
constexpr std::chrono::seconds kShareAge(60);  // its own flood is over by then
constexpr std::size_t kEnvelopeBytes = 8;      // header, codes, path_len and a short path

std::array<std::uint8_t, 16> ScopeKey(std::string_view name) {
  const Sha256Digest digest = Sha256(AsBytes(name));
  std::array<std::uint8_t, 16> key{};
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

/// Source: MeshCore firmware, TransportKey::calcTransportCode.
std::uint16_t ScopeCode(const std::array<std::uint8_t, 16>& key, PayloadType type, ByteView payload) {
  Bytes input{static_cast<std::uint8_t>(type)};
  input.insert(input.end(), payload.begin(), payload.end());
  const Sha256Digest mac = HmacSha256(key, input);
  const auto code = static_cast<std::uint16_t>(mac[0] | mac[1] << 8);
  return code == 0 ? std::uint16_t{1} : code == 0xFFFF ? std::uint16_t{0xFFFE} : code;
}

std::size_t AdvertsOften(NodeType role) {
  switch (role) {
    case NodeType::kRepeater:
      return 4;
    case NodeType::kRoom:
      return 3;
    case NodeType::kSensor:
      return 2;
    default:
      return 1;
  }
}

}  // namespace

Traffic::Traffic(const World& world, const ObserverSet& observers, const NodeStates& states,
                 double advert_share, Random random)
    : world_(world),
      observers_(observers),
      states_(states),
      advert_share_(advert_share),
      random_(random),
      flood_(world, states, ListenersOf(observers)),
      channels_(BuildChannels(random.Fork(1))),
      voices_(world.nodes.size()) {
  for (const Channel& channel : channels_) channel_weights_.push_back(channel.weight);
  for (const Region& region : world.terrain.regions) scope_keys_.push_back(ScopeKey(region.scope));
  for (NodeIndex i = 0; i < world.nodes.size(); ++i) {
    const Node& node = world.nodes[i];
    advertisers_.insert(advertisers_.end(), AdvertsOften(node.role), i);
    if (node.role == NodeType::kCompanion || node.role == NodeType::kRoom) talkers_.push_back(i);
    if (node.relays) relays_.push_back(i);
  }
  if (talkers_.empty()) talkers_ = relays_;
}

Traffic::Kind Traffic::ChooseKind() {
  // Leans against the error so far: zero-hop packets are heard less often than floods.
  const double lean = 0.02 * (advert_share_ * heard_ - heard_adverts_);
  if (advert_share_ > 0 && random_.Chance(std::clamp(advert_share_ + lean, 0.0, 1.0))) {
    return static_cast<Kind>(static_cast<std::size_t>(Kind::kFloodAdvert) + random_.Weighted(kAdvertWeights));
  }
  return static_cast<Kind>(random_.Weighted(kKindWeights));
}

std::optional<NodeIndex> Traffic::ChooseSpeaker(Kind kind) {
  const bool advert = kind == Kind::kFloodAdvert || kind == Kind::kZeroHopAdvert;
  const auto& from = advert ? advertisers_ : kind == Kind::kDiscoverResponse ? relays_ : talkers_;
  const NodeIndex node = random_.Pick(from);
  if (!states_[node].up) return std::nullopt;
  return node;
}

void Traffic::Next(UtcMillis now, std::vector<Broadcast>& out) {
  const Kind kind = ChooseKind();
  const std::optional<NodeIndex> node = ChooseSpeaker(kind);
  if (!node) return;
  switch (kind) {
    case Kind::kFloodAdvert:
    case Kind::kZeroHopAdvert:
      return SendAdvert(kind, *node, now, out);
    case Kind::kSharedAdvert:
      return SendShared(*node, now, out);
    case Kind::kChannelText:
    case Kind::kChannelData:
      return SendToChannel(kind, *node, now, out);
    case Kind::kTrace:
      return SendTrace(*node, now, out);
    case Kind::kDiscoverRequest:
    case Kind::kDiscoverResponse:
    case Kind::kRawCustom:
      return SendNearby(kind, *node, now, out);
    default:
      return SendPrivate(kind, *node, now, out);
  }
}

void Traffic::NoteHeard(bool advert) {
  heard_ += 1;
  if (advert) heard_adverts_ += 1;
}

void Traffic::SendAdvert(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out) {
  Bytes payload = AdvertPayload(world_.nodes[node], NextTimestamp(node, now));
  const bool flood = kind == Kind::kFloodAdvert;
  auto content = MakeContent(node, flood ? RouteType::kFlood : RouteType::kDirect, PayloadType::kAdvert,
                             std::move(payload));
  content->record = std::make_shared<AirRecord>();
  voices_[node].last_advert = content;
  voices_[node].last_advert_at = now;
  if (flood) {
    FloodOut(std::move(content), now, out);
  } else {
    DirectOut(std::move(content), {}, now, out);
  }
}

void Traffic::SendShared(NodeIndex node, UtcMillis now, std::vector<Broadcast>& out) {
  const auto& contacts = world_.nodes[node].contacts;
  if (contacts.empty()) return;
  const Voice& contact = voices_[random_.Pick(contacts)];
  if (!contact.last_advert || now - contact.last_advert_at < kShareAge) return;
  const Transmission* stored = contact.last_advert.get();
  auto content = std::make_shared<Transmission>();
  content->origin = node;
  content->subject = stored->subject;
  content->route = RouteType::kTransportDirect;
  content->payload_type = PayloadType::kAdvert;
  content->payload = stored->payload;
  content->payload_hex = stored->payload_hex;
  content->hash_hex = stored->hash_hex;
  content->record = stored->record;
  DirectOut(std::move(content), {}, now, out);
}

void Traffic::SendToChannel(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out) {
  const Channel& channel = channels_[random_.Weighted(channel_weights_)];
  const std::uint32_t timestamp = NextTimestamp(node, now);
  if (kind == Kind::kChannelData) {
    Bytes plaintext{0x01, 0xFF, 12};
    plaintext.resize(15);
    random_.Fill(std::span(plaintext).subspan(3));
    return FloodOut(
        MakeContent(node, RouteType::kFlood, PayloadType::kGroupData, SealGroupPayload(channel, plaintext)),
        now, out);
  }
  const Town& town = world_.terrain.towns[world_.nodes[node].town];
  Bytes payload = SealGroupText(channel, timestamp, world_.nodes[node].name, Chatter(town.name, random_));
  FloodOut(MakeContent(node, RouteType::kFlood, PayloadType::kGroupText, std::move(payload)), now, out);
}

Bytes Traffic::PrivateContent(Kind kind, NodeIndex from, NodeIndex to) {
  const PublicKey& sender = world_.nodes[from].keys.public_key();
  const PublicKey& receiver = world_.nodes[to].keys.public_key();
  switch (kind) {
    case Kind::kAck:
      return AckPayload(NextTag(), random_);
    case Kind::kMultipartAck:
      return MultipartAckPayload(NextTag());
    case Kind::kAnonymousRequest:
      return AnonymousRequestPayload(receiver, sender, random_);
    default:
      return PrivatePayload(receiver, sender, 5, random_);
  }
}

void Traffic::SendPrivate(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out) {
  const auto& contacts = world_.nodes[node].contacts;
  if (contacts.empty()) return;
  const std::size_t contact = random_.Below(static_cast<std::uint32_t>(contacts.size()));
  const auto type = [kind] {
    switch (kind) {
      case Kind::kText:
        return PayloadType::kText;
      case Kind::kAck:
        return PayloadType::kAck;
      case Kind::kRequest:
        return PayloadType::kRequest;
      case Kind::kResponse:
        return PayloadType::kResponse;
      case Kind::kPathReturn:
        return PayloadType::kPath;
      case Kind::kAnonymousRequest:
        return PayloadType::kAnonymousRequest;
      default:
        return PayloadType::kMultipart;
    }
  }();
  Bytes payload = PrivateContent(kind, node, contacts[contact]);
  const auto& route = RouteTo(node, contact);
  const bool direct = route && kind != Kind::kPathReturn && random_.Chance(kDirectShare);
  if (direct) {
    DirectOut(MakeContent(node, RouteType::kDirect, type, std::move(payload)), *route, now, out);
  } else if (kind != Kind::kMultipartAck) {  // the firmware sends these along routes only
    FloodOut(MakeContent(node, RouteType::kFlood, type, std::move(payload)), now, out);
  }
}

void Traffic::SendTrace(NodeIndex node, UtcMillis now, std::vector<Broadcast>& out) {
  const auto& contacts = world_.nodes[node].contacts;
  if (contacts.empty()) return;
  const std::size_t contact = random_.Below(static_cast<std::uint32_t>(contacts.size()));
  const auto there = FindRoute(world_, states_, node, contacts[contact], 1);
  if (!there || there->empty()) return;
  Route route = *there;
  route.insert(route.end(), there->rbegin() + 1, there->rend());

  std::vector<PublicKey> keys;
  for (NodeIndex hop : route) keys.push_back(world_.nodes[hop].keys.public_key());
  const Bytes payload = TracePayload(NextTag(), keys);
  if (payload.size() > Packet::kMaxPayload || route.size() > 63) return;
  Propagation journey;
  const AirFrame frame{1, AirtimeMillis(payload.size() + kEnvelopeBytes), false};
  SendAlong(world_, observers_, states_, node, route, frame, now, random_, journey);

  // Each hop adds the SNR at which it heard the one before, and that makes another transmission of it.
  Bytes snrs;
  for (std::uint32_t i = 0; i < journey.sendings.size(); ++i) {
    if (i > 0) {
      const Link* link = world_.links.Find(journey.sendings[i - 1].node, journey.sendings[i].node);
      const double snr = ReceivedSnr(*link, random_);
      snrs.push_back(static_cast<std::uint8_t>(static_cast<std::int8_t>(std::lround(snr * 4))));
    }
    Broadcast& broadcast = out.emplace_back();
    broadcast.content = MakeContent(node, RouteType::kDirect, PayloadType::kTrace, payload);
    const auto length = PathLength::FromByte(static_cast<std::uint8_t>(snrs.size())).value();
    broadcast.content->hash_hex = ToHexUpper(HashContent(PayloadType::kTrace, length, payload).bytes());
    broadcast.fixed_path = snrs;
    broadcast.propagation.sendings = journey.sendings;
    std::ranges::copy_if(journey.hearings, std::back_inserter(broadcast.propagation.hearings),
                         [i](const Hearing& hearing) { return hearing.sending == i; });
  }
}

void Traffic::SendNearby(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out) {
  Bytes payload;
  PayloadType type = PayloadType::kControl;
  switch (kind) {
    case Kind::kDiscoverRequest:
      payload = DiscoverRequestPayload(NextTag());
      break;
    case Kind::kDiscoverResponse:
      payload = DiscoverResponsePayload(NextTag(), world_.nodes[node], random_.Between(-7, 12));
      break;
    default:
      payload = RawCustomPayload(random_);
      type = PayloadType::kRawCustom;
  }
  DirectOut(MakeContent(node, RouteType::kDirect, type, std::move(payload)), {}, now, out);
}

std::shared_ptr<Transmission> Traffic::MakeContent(NodeIndex origin, RouteType route, PayloadType type,
                                                   Bytes payload) {
  auto content = std::make_shared<Transmission>();
  content->origin = origin;
  content->subject = origin;
  content->route = route;
  content->payload_type = type;
  content->payload = std::move(payload);
  content->payload_hex = ToHexUpper(content->payload);
  content->hash_hex = ToHexUpper(HashContent(type, PathLength(), content->payload).bytes());
  return content;
}

void Traffic::FloodOut(std::shared_ptr<Transmission> content, UtcMillis now, std::vector<Broadcast>& out) {
  std::optional<std::size_t> region;
  if (random_.Chance(kScopedShare)) {
    region = world_.nodes[content->origin].region;
    content->route = RouteType::kTransportFlood;
    content->codes.scope = ScopeCode(scope_keys_[*region], content->payload_type, content->payload);
  }
  Broadcast& broadcast = out.emplace_back();
  broadcast.path_style = PathStyle::kRecorded;
  broadcast.hash_size = states_[content->origin].OwnHashSize();
  const AirFrame frame{broadcast.hash_size, AirtimeMillis(content->payload.size() + kEnvelopeBytes),
                       content->payload_type == PayloadType::kAdvert};
  flood_.Run(content->origin, frame, region, now, random_, broadcast.propagation);
  AppendOwnSendings(observers_, frame, broadcast.propagation);
  broadcast.content = std::move(content);
}

void Traffic::DirectOut(std::shared_ptr<Transmission> content, Route route, UtcMillis now,
                        std::vector<Broadcast>& out) {
  Broadcast& broadcast = out.emplace_back();
  broadcast.path_style = PathStyle::kPlanned;
  // A zero-hop packet has a path_len of 0 whatever its sender's size is, and all firmware takes it.
  broadcast.hash_size = route.empty() ? 1 : states_[content->origin].OwnHashSize();
  broadcast.route = std::move(route);
  const AirFrame frame{broadcast.hash_size, AirtimeMillis(content->payload.size() + kEnvelopeBytes),
                       content->payload_type == PayloadType::kAdvert};
  SendAlong(world_, observers_, states_, content->origin, broadcast.route, frame, now, random_,
            broadcast.propagation);
  broadcast.content = std::move(content);
}

const std::optional<Route>& Traffic::RouteTo(NodeIndex node, std::size_t contact) {
  Voice& voice = voices_[node];
  const std::size_t hash_size = states_[node].OwnHashSize();
  const auto& contacts = world_.nodes[node].contacts;
  if (voice.routes_hash_size != hash_size) {
    voice.routes.clear();
    for (NodeIndex to : contacts) voice.routes.push_back(FindRoute(world_, states_, node, to, hash_size));
    voice.routes_hash_size = hash_size;
  } else if (random_.Chance(kForgetRoute)) {
    voice.routes[contact] = FindRoute(world_, states_, node, contacts[contact], hash_size);
  }
  return voice.routes[contact];
}

std::uint32_t Traffic::NextTimestamp(NodeIndex node, UtcMillis now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto shown = static_cast<std::uint32_t>(seconds + world_.nodes[node].clock_offset_seconds);
  std::uint32_t& last = voices_[node].last_timestamp;
  last = std::max(shown, last + 1);  // the firmware never repeats one either
  return last;
}

std::uint32_t Traffic::NextTag() {
  return Scramble(tags_++);
}

}  // namespace heliograph::meshsim
