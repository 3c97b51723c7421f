#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/http_wire_client.h"

namespace heliograph::server {
namespace {

// Holds handlers until it is opened.
class Gate {
 public:
  void Wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

HttpServer::RequestHandler HeldAt(Gate& gate) {
  return [&gate](const Request& request) {
    if (request.path == "/hold") {
      gate.Wait();
    }
    return JsonResponse("done");
  };
}

std::vector<std::unique_ptr<WireClient>> Connect(std::uint16_t port, int count, const std::string& send) {
  std::vector<std::unique_ptr<WireClient>> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<WireClient>(port));
    clients.back()->Send(send);
  }
  return clients;
}

TEST(HttpWireLoadTest, IdleSlowAndBusyClientsDoNotDelayAnother) {
  Gate gate;
  EchoServer echo({}, HeldAt(gate));
  const auto idle = Connect(echo.port(), 100, Get("/"));
  for (const auto& client : idle) {
    ASSERT_TRUE(client->Read().has_value());
  }
  const auto slow = Connect(echo.port(), 30, "GET / HTTP/1.1\r\nHost:");
  const auto busy = Connect(echo.port(), 64, Get("/hold"));
  ASSERT_TRUE(Eventually([&] { return gate.waiting() == 64; }));
  EXPECT_EQ(echo.StatusOf(Get("/")), 200);
  EXPECT_EQ(gate.waiting(), 64);
  gate.Open();
  for (const auto& client : busy) {
    EXPECT_EQ(client->Read()->status, 200);
  }
}

TEST(HttpWireLoadTest, WaitingConnectionsMakeRoomForNewOnes) {
  HttpLimits limits;
  limits.max_connections = 8;
  EchoServer echo(limits);
  const auto idle = Connect(echo.port(), 8, "");
  ASSERT_TRUE(Eventually([&] { return echo.server().statistics().connections_now == 8; }));
  ASSERT_TRUE(Eventually([&] { return echo.StatusOf(Get("/")) == 200; }));
  EXPECT_GE(echo.server().statistics().evicted_waiting, 1U);
  EXPECT_TRUE(Eventually([&] {
    return std::any_of(idle.begin(), idle.end(), [](const auto& client) {
      char byte = 0;
      return ::recv(client->fd(), &byte, 1, MSG_DONTWAIT) == 0;
    });
  }));
}

TEST(HttpWireLoadTest, SlowHeadsMakeRoomAfterASecond) {
  HttpLimits limits;
  limits.max_connections = 4;
  EchoServer echo(limits);
  const auto slow = Connect(echo.port(), 4, "GET / HTTP/1.1\r\nHost:");
  ASSERT_TRUE(Eventually([&] { return echo.StatusOf(Get("/")) == 200; }));
}

TEST(HttpWireLoadTest, OverloadIsA503WithRetryAfterAndPasses) {
  Gate gate;
  HttpLimits limits;
  limits.max_connections = 4;
  EchoServer echo(limits, HeldAt(gate));
  const auto busy = Connect(echo.port(), 4, Get("/hold"));
  ASSERT_TRUE(Eventually([&] { return gate.waiting() == 4; }));
  for (int i = 0; i < 100; ++i) {
    WireClient client(echo.port());
    client.Send(Get("/"));
    const auto response = client.Read();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 503);
    EXPECT_EQ(response->headers.at("retry-after"), "1");
    EXPECT_EQ(response->headers.at("content-type"), "application/problem+json");
  }
  EXPECT_EQ(echo.server().statistics().refused_overload, 100U);
  gate.Open();
  EXPECT_TRUE(Eventually([&] { return echo.StatusOf(Get("/")) == 200; }));
}

TEST(HttpWireLoadTest, StreamsHaveACapOfTheirOwn) {
  HttpLimits limits;
  limits.max_connections = 2;
  limits.max_streams = 3;
  EchoServer echo(limits, [](const Request& request) {
    if (request.path == "/quick") {
      return JsonResponse("quick");
    }
    return EventStreamResponse(std::make_shared<RepeatingSource>("data: x\n\n"));
  });
  std::vector<std::unique_ptr<WireClient>> streams;
  for (std::size_t i = 0; i < 3; ++i) {
    streams.push_back(std::make_unique<WireClient>(echo.port()));
    streams.back()->Send(Get("/events"));
    ASSERT_TRUE(Eventually([&] { return echo.server().statistics().streams_now == i + 1; }));
  }
  EXPECT_EQ(echo.StatusOf(Get("/quick")), 200);
  WireClient fourth(echo.port());
  fourth.Send(Get("/events"));
  const auto refused = fourth.Read();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 200);
  EXPECT_EQ(refused->headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(refused->body, "retry: 15000\n\n");
  streams.clear();
  EXPECT_TRUE(Eventually([&] { return echo.server().statistics().streams_now == 0; }));
}

TEST(HttpWireLoadTest, StopEndsAlthoughClientsHoldConnections) {
  EchoServer echo({}, [](const Request&) {
    return EventStreamResponse(std::make_shared<RepeatingSource>("data: x\n\n"));
  });
  const auto idle = Connect(echo.port(), 50, "");
  const auto slow = Connect(echo.port(), 20, "GET / HTTP/1.1\r\nHost:");
  const auto streams = Connect(echo.port(), 20, Get("/"));
  ASSERT_TRUE(Eventually([&] { return echo.server().statistics().streams_now == 20; }));
  echo.server().Stop();
  EXPECT_EQ(echo.server().statistics().connections_now, 0U);
  EXPECT_EQ(echo.server().statistics().threads_now, 0U);
  EXPECT_EQ(idle.front()->ReadToEnd(), "");
}

TEST(HttpWireLoadTest, StopLetsARunningHandlerAnswer) {
  Gate gate;
  EchoServer echo({}, HeldAt(gate));
  WireClient client(echo.port());
  client.Send(Get("/hold"));
  ASSERT_TRUE(Eventually([&] { return gate.waiting() == 1; }));
  std::thread stopper([&echo] { echo.server().Stop(); });
  // The listener is closed first, so a refused connection tells that stopping has begun.
  EXPECT_TRUE(Eventually([&] {
    try {
      const WireClient probe(echo.port());
      return false;
    } catch (const std::system_error&) {
      return true;
    }
  }));
  gate.Open();
  const auto response = client.Read();
  stopper.join();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->body, "done");
}

TEST(HttpWireLoadTest, ManyClientsAtOnceAllGetTheirOwnAnswers) {
  EchoServer echo;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&echo, &right, t] {
      for (int round = 0; round < 5; ++round) {
        WireClient client(echo.port());
        for (int i = 0; i < 20; ++i) {
          const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
          client.Send(Get(path));
          const auto response = client.Read();
          right += response && response->body == "GET " + path + " " ? 1 : 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right.load(), 16 * 5 * 20);
  EXPECT_TRUE(Eventually([&] { return echo.server().statistics().connections_now == 0; }));
}

}  // namespace
}  // namespace heliograph::server
