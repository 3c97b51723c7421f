#include <gmock/gmock.h>

#include <numeric>
#include <random>
#include <sstream>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::SizeIs;

struct Event {
  std::string name, id;
  Json data;
};

/// A page's EventSource without a wire, in a time of its own.
class Listener {
 public:
  explicit Listener(const Response& response)
      : source_(std::get<std::shared_ptr<EventSource>>(response.body)) {}

  /// What has arrived after `time` has passed.
  std::vector<Event> Hear(std::chrono::milliseconds time = std::chrono::milliseconds(50)) {
    now_ += time;
    std::string text;
    for (std::string piece; open_; piece.clear()) {
      open_ = source_->Append(piece, now_);
      if (piece.empty()) break;
      text += piece;
      now_ += std::chrono::microseconds(1);
    }
    return Parse(text);
  }
  bool open() const { return open_; }
  const std::string& last_id() const { return last_id_; }

 private:
  std::vector<Event> Parse(const std::string& text) {
    std::vector<Event> events;
    std::istringstream lines(text);
    Event event;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("id: ")) event.id = line.substr(4);
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: ")) event.data = Json::parse(line.substr(6));
      if (!line.empty() || event.name.empty()) continue;
      last_id_ = event.id;
      events.push_back(std::exchange(event, {}));
    }
    return events;
  }

  std::shared_ptr<EventSource> source_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::string last_id_;
  bool open_ = true;
};

std::vector<std::string> Names(const std::vector<Event>& events) {
  std::vector<std::string> names;
  for (const Event& event : events) names.push_back(event.name);
  return names;
}

class EventRoutesTest : public RoutesTest {
 protected:
  void SetUp() override {
    node_ = mesh_.AddNode(KeyOf({1}));
    mesh_.Confirm(node_, "advert");  // rows 1 (the capability) and 2 (the commit)
  }
  Listener Listen(const std::string& query = {}, const std::string& last_event_id = {}) {
    if (!router_) Start();
    Request request;
    request.path = "/api/events";
    request.query = ParseQuery(query);
    if (!last_event_id.empty()) request.headers.push_back({"Last-Event-ID", last_event_id});
    return Listener(router_->Handle(std::move(request)));
  }
  std::string At(std::int64_t seq) {
    return GetJson("/api/changes").at("head").get<std::string>().substr(0, 17) + std::to_string(seq);
  }

  std::int64_t node_ = 0;
};

TEST_F(EventRoutesTest, AStreamSaysHelloAndThenWhatChanges) {
  Listener listener = Listen();
  const auto hello = listener.Hear();
  ASSERT_THAT(Names(hello), ElementsAre("hello"));
  EXPECT_EQ(hello[0].id, At(2));
  EXPECT_EQ(hello[0].data.at("head"), At(2));
  mesh_.Confirm(node_, "relay");
  const auto changes = listener.Hear();
  ASSERT_THAT(Names(changes), ElementsAre("change", "change"));
  EXPECT_EQ(changes[0].id, At(3));
  EXPECT_EQ(changes[0].data.at("kind"), "capability_changed");
  EXPECT_EQ(changes[1].data.at("kind"), "commit");
  EXPECT_THAT(listener.Hear(), SizeIs(0));
}

TEST_F(EventRoutesTest, AnEntryIsTheSameAsInPages) {
  Listener listener = Listen("start=beginning");
  EXPECT_EQ(listener.Hear().at(1).data, GetJson("/api/changes?start=beginning").at("changes").at(0));
}

TEST_F(EventRoutesTest, AStreamGoesOnAfterTheLastIdWhateverItsUrlSays) {
  mesh_.Confirm(node_, "relay");
  EXPECT_THAT(Names(Listen("cursor=" + At(3)).Hear()), ElementsAre("hello", "change"));
  EXPECT_THAT(Names(Listen("cursor=" + At(0), At(3)).Hear()), ElementsAre("hello", "change"));
}

TEST_F(EventRoutesTest, WhatCannotGoOnIsResetWithTheReasonAndGoesOnAtTheHead) {
  mesh_.Run("UPDATE meta SET value = '1' WHERE key = 'feed_floor'");
  mesh_.Run("DELETE FROM change_log WHERE seq <= 1");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {At(0), "behind_retention"}, {At(9), "ahead_of_head"}, {"0123456789abcdef-1", "other_epoch"}};
  for (const auto& [cursor, reason] : cases) {
    Listener listener = Listen("cursor=" + cursor);
    const auto events = listener.Hear();
    ASSERT_THAT(Names(events), ElementsAre("reset")) << cursor;
    EXPECT_EQ(events[0].data.at("reason"), reason);
    EXPECT_EQ(events[0].data.at("requested"), cursor);
    EXPECT_EQ(events[0].id, GetJson("/api/changes").at("head"));
    mesh_.Confirm(node_, "relay");
    EXPECT_THAT(Names(listener.Hear()), ElementsAre("change", "change"));
  }
}

TEST_F(EventRoutesTest, AStreamThatIsOvertakenByRetentionIsReset) {
  Listener listener = Listen();
  listener.Hear();
  mesh_.Confirm(node_, "relay");
  mesh_.Run("UPDATE meta SET value = '3' WHERE key = 'feed_floor'");
  mesh_.Run("DELETE FROM change_log WHERE seq <= 3");
  EXPECT_EQ(listener.Hear().at(0).data.at("reason"), "behind_retention");
}

TEST_F(EventRoutesTest, AReplacedDatabaseResetsTheStream) {
  Listener listener = Listen();
  listener.Hear();
  mesh_.Run("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'epoch'");
  EXPECT_EQ(listener.Hear().at(0).data.at("reason"), "other_epoch");
}

TEST_F(EventRoutesTest, HeartbeatsCarryHowFarTheStreamHasLooked) {
  Listener listener = Listen("kind=branch_created");
  listener.Hear();
  EXPECT_THAT(listener.Hear(std::chrono::seconds(14)), SizeIs(0));
  mesh_.Confirm(node_, "relay");
  const auto beat = listener.Hear(std::chrono::seconds(1));
  ASSERT_THAT(Names(beat), ElementsAre("hb"));
  EXPECT_EQ(beat[0].id, At(4));
  EXPECT_THAT(listener.Hear(), SizeIs(0));
}

TEST_F(EventRoutesTest, AStreamEndsOfOldAge) {
  Listener listener = Listen();
  listener.Hear(std::chrono::minutes(13));
  EXPECT_TRUE(listener.open());
  listener.Hear(std::chrono::minutes(15));
  EXPECT_FALSE(listener.open());
}

TEST_F(EventRoutesTest, FiltersAreThoseOfThePages) {
  Listener listener = Listen("start=beginning&entity_kind=node&entity=" + KeyOf({1}).ToObserverId());
  EXPECT_THAT(Names(listener.Hear()), ElementsAre("hello", "change"));
  EXPECT_EQ(Get("/api/events?cursor=nonsense").status, 400);
  EXPECT_EQ(Get("/api/events?start=yesterday").status, 400);
}

TEST_F(EventRoutesTest, BeforeTheFirstViewAStreamWaits) {
  Start();
  const auto view = std::exchange(views_.view, nullptr);
  Listener listener = Listen("start=beginning");
  EXPECT_THAT(Names(listener.Hear()), ElementsAre("hello"));
  EXPECT_THAT(listener.Hear(), SizeIs(0));
  views_.view = view;
  EXPECT_THAT(Names(listener.Hear()), ElementsAre("change", "change"));
}

/// Clients that drop at random and come again with their last id.
TEST_F(EventRoutesTest, WhoeverDropsAndResumesSeesTheExactSequence) {
  std::mt19937 random(7);
  Start();
  struct Client {
    Listener listener;
    std::vector<std::int64_t> seen;
  };
  std::vector<Client> clients;
  for (int i = 0; i < 200; ++i) clients.push_back({Listen("cursor=" + At(0)), {}});
  for (int round = 0; round < 60; ++round) {
    mesh_.Confirm(node_, round % 2 == 0 ? "relay" : "advert");
    for (Client& client : clients) {
      if (random() % 3 == 0) continue;
      for (const Event& event : client.listener.Hear()) {
        if (event.name == "change") client.seen.push_back(event.data.at("seq"));
      }
      if (random() % 4 == 0) client.listener = Listen("cursor=" + At(0), client.listener.last_id());
    }
  }
  std::vector<std::int64_t> all(122);
  std::iota(all.begin(), all.end(), 1);
  for (Client& client : clients) {
    for (const Event& event : client.listener.Hear()) {
      if (event.name == "change") client.seen.push_back(event.data.at("seq"));
    }
    EXPECT_EQ(client.seen, all);
  }
}

TEST_F(EventRoutesTest, ALongWayBehindAStreamCatchesUpPieceByPiece) {
  for (int i = 0; i < 400; ++i) mesh_.Confirm(node_, i % 2 == 0 ? "relay" : "advert");
  Start();
  const Response response = Get("/api/events?start=beginning");
  const auto source = std::get<std::shared_ptr<EventSource>>(response.body);
  std::string piece;
  std::size_t pieces = 0;
  for (auto now = std::chrono::steady_clock::time_point(std::chrono::hours(1));; piece.clear(), ++pieces) {
    source->Append(piece, now);
    if (piece.empty()) break;
    EXPECT_LT(piece.size(), 40'000U);
  }
  EXPECT_THAT(pieces, Gt(5U));
}

class PacketStreamTest : public RoutesTest {
 protected:
  void SetUp() override { observer_ = mesh_.AddObserver(KeyOf({0xA1}), "SFO"); }
  Listener Listen(const std::string& query = {}) { return Listener(Get("/api/events/packets?" + query)); }

  std::int64_t observer_ = 0;
};

TEST_F(PacketStreamTest, EachReceptionComesWithWhatALivePageNeeds) {
  Listener listener = Listen();
  listener.Hear();
  Hear(Text(1, "a1b2"), observer_, 5, 0, 26);
  const auto events = listener.Hear();
  ASSERT_THAT(Names(events), ElementsAre("packet"));
  EXPECT_EQ(events[0].data.at("observation_id"), 1);
  const Json& packet = events[0].data.at("packet");
  EXPECT_EQ(packet.at("hash"), Text(1, "a1b2").Hash().ToHex());
  EXPECT_EQ(packet.at("observer_id"), KeyOf({0xA1}).ToObserverId());
  EXPECT_EQ(packet.at("snr"), 6.5);
  for (const char* member :
       {"id", "timestamp", "first_seen", "raw_hex", "route_type", "payload_type", "decoded_json", "path_json",
        "observer_name", "observer_iata", "rssi", "direction", "observation_count"}) {
    EXPECT_TRUE(packet.contains(member)) << member;
  }
}

TEST_F(PacketStreamTest, FilterByTypeObserverAndRegion) {
  Hear(Text(1), observer_);
  Hear(Text(2), mesh_.AddObserver(KeyOf({0xB2}), "LAX"));
  Refresh();
  EXPECT_THAT(Listen("start=beginning").Hear(), SizeIs(3));
  EXPECT_THAT(Listen("start=beginning&type=2").Hear(), SizeIs(3));
  EXPECT_THAT(Listen("start=beginning&type=4").Hear(), SizeIs(1));
  EXPECT_THAT(Listen("start=beginning&observer=" + KeyOf({0xB2}).ToHex()).Hear(), SizeIs(2));
  EXPECT_THAT(Listen("start=beginning&region=sfo").Hear(), SizeIs(2));
}

TEST_F(PacketStreamTest, WhatAHiddenNodeSignsIsNotHeard) {
  const std::int64_t hidden = mesh_.AddNode(KeyOf({9}));
  config_.node_blacklist = {KeyOf({9}).ToHex()};
  Hear(Flood(PayloadType::kAdvert, Bytes{1, 2, 3}), observer_, 0, hidden);
  Hear(Text(2), observer_);
  EXPECT_THAT(Listen("start=beginning").Hear(), SizeIs(2));
}

TEST_F(PacketStreamTest, AStreamThatCannotKeepUpIsResetToTheNewest) {
  Hear(Text(1), observer_);
  Listener listener = Listen();
  listener.Hear();
  mesh_.Run(
      "INSERT INTO observations(id, transmission_id, observer_key, received_after, route, path_len, flags) "
      "VALUES (30000, 1, " +
      std::to_string(observer_) + ", 0, 1, 0, 0)");
  EXPECT_EQ(listener.Hear().at(0).data.at("reason"), "too_far_behind");
}

}  // namespace
}  // namespace heliograph::server
