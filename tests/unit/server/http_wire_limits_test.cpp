#include <sys/socket.h>

#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/http_wire_client.h"

namespace heliograph::server {
namespace {

using std::chrono::milliseconds;

HttpLimits Short() {
  HttpLimits limits;
  limits.head_timeout = milliseconds(200);
  limits.body_timeout = milliseconds(200);
  limits.write_timeout = milliseconds(200);
  return limits;
}

long ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      status >> word;
      return std::stol(word);
    }
  }
  return 0;
}

std::string Post(std::string_view headers, std::string_view body = {}) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(HttpWireLimitsTest, EndlessHeadersAreStoppedAtTheLimit) {
  EchoServer echo;
  WireClient client(echo.port());
  const long before = ResidentKib();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n");
  std::size_t sent = 0;
  const std::string block(64 * 1024, 'a');
  while (sent < 64'000'000 && client.Send("A: " + block + "\r\n")) {
    sent += block.size();
  }
  EXPECT_LT(sent, 16'000'000U);
  EXPECT_LT(ResidentKib() - before, 16'000);
  EXPECT_EQ(echo.server().statistics().refused_malformed, 1U);
}

TEST(HttpWireLimitsTest, AnswersThatAreBeingWrittenHaveABudget) {
  HttpLimits limits;
  limits.max_answers_bytes = 100'000'000;
  EchoServer echo(limits, [](const Request& request) {
    return JsonResponse(std::string(request.path == "/large" ? 80'000'000 : 10, 'a'));
  });
  std::optional<WireClient> slow(echo.port());
  slow->Send(Get("/large"));  // and reads nothing of it
  char byte = 0;
  ASSERT_TRUE(Eventually([&] { return ::recv(slow->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1; }));
  EXPECT_EQ(echo.StatusOf(Get("/large")), 503);
  EXPECT_EQ(echo.StatusOf(Get("/small")), 200);
  slow.reset();
  EXPECT_TRUE(Eventually([&] { return echo.StatusOf(Get("/large")) == 200; }));
}

TEST(HttpWireLimitsTest, OversizedHeadsGetTheirStatusAndAreClosed) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send(Get("/", "A: " + std::string(17'000, 'a') + "\r\n"));
  EXPECT_THAT(client.ReadToEnd().value_or("still open"), ::testing::StartsWith("HTTP/1.1 431 "));
  std::string many;
  for (int i = 0; i < 150; ++i) {
    many += "A: b\r\n";
  }
  EXPECT_EQ(echo.StatusOf(Get("/", many)), 431);
  EXPECT_EQ(echo.StatusOf(Get("/" + std::string(9000, 'a'))), 414);
  EXPECT_EQ(echo.StatusOf(Get("/" + std::string(1'000'000, 'a'))), 414);
}

TEST(HttpWireLimitsTest, BodiesAreBoundedWithAndWithoutContentLength) {
  HttpLimits limits;
  limits.max_body_bytes = 1000;
  EchoServer echo(limits);
  EXPECT_EQ(echo.StatusOf(Post("Content-Length: 1000\r\n", std::string(1000, 'a'))), 200);
  EXPECT_EQ(echo.StatusOf(Post("Content-Length: 1001\r\n")), 413);
  EXPECT_EQ(echo.StatusOf(Post("Content-Length: 99999999999999999999999\r\n")), 413);
  EXPECT_EQ(echo.StatusOf(Post("Transfer-Encoding: chunked\r\n", "3e9\r\n")), 413);
}

TEST(HttpWireLimitsTest, AnEndlessChunkedBodyIsStoppedAtTheLimit) {
  EchoServer echo;
  WireClient client(echo.port());
  const long before = ResidentKib();
  client.Send(Post("Transfer-Encoding: chunked\r\n"));
  const std::string chunk = "10000\r\n" + std::string(65536, 'a') + "\r\n";
  std::size_t sent = 0;
  while (sent < 64'000'000 && client.Send(chunk)) {
    sent += chunk.size();
  }
  EXPECT_LT(sent, 16'000'000U);
  EXPECT_LT(ResidentKib() - before, 16'000);
}

TEST(HttpWireLimitsTest, AllBodiesTogetherAreBounded) {
  HttpLimits limits;
  limits.max_bodies_bytes = 1000;
  EchoServer echo(limits);
  EXPECT_EQ(echo.StatusOf(Post("Content-Length: 1000\r\n", std::string(1000, 'a'))), 200);
  EXPECT_EQ(echo.StatusOf(Post("Content-Length: 2000\r\n", std::string(2000, 'a'))), 503);
  // A body is given back once its answer is sent, which the client may see before.
  EXPECT_TRUE(Eventually(
      [&] { return echo.StatusOf(Post("Content-Length: 1000\r\n", std::string(1000, 'a'))) == 200; }));
}

TEST(HttpWireLimitsTest, ASlowHeadAndASlowBodyAre408) {
  EchoServer echo(Short());
  EXPECT_EQ(echo.StatusOf("GET / HTTP/1.1\r\nHost:"), 408);
  EXPECT_EQ(echo.StatusOf(Post("Content-Length: 10\r\n", "abc")), 408);
  EXPECT_EQ(echo.StatusOf(Post("Transfer-Encoding: chunked\r\n", "5\r\nab")), 408);
}

TEST(HttpWireLimitsTest, DrippingBytesDoesNotExtendTheDeadline) {
  EchoServer echo(Short());
  WireClient client(echo.port());
  client.Send("GET / HTTP/1.1\r\nA: ");
  std::optional<WireResponse> response;
  for (int drop = 0; !response && drop < 1000 && client.Send("a"); ++drop) {
    response = client.Read(false, milliseconds(20));
  }
  if (!response) response = client.Read();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 408);
}

TEST(HttpWireLimitsTest, AnIdleConnectionIsClosedWithoutAnAnswer) {
  HttpLimits limits;
  limits.idle_timeout = milliseconds(200);
  EchoServer echo(limits);
  WireClient fresh(echo.port());
  EXPECT_EQ(fresh.ReadToEnd(), "");
  std::optional<WireClient> used;
  ASSERT_TRUE(Eventually([&] {
    used.emplace(echo.port());
    used->Send(Get("/"));
    return used->Read().has_value();
  }));
  EXPECT_EQ(used->ReadToEnd(), "");
}

TEST(HttpWireLimitsTest, AHalfClosedClientGetsItsAnswer) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send(Get("/half"));
  ::shutdown(client.fd(), SHUT_WR);
  EXPECT_THAT(client.ReadToEnd().value_or("still open"), ::testing::HasSubstr("GET /half "));
}

TEST(HttpWireLimitsTest, AClientThatDoesNotReadIsCutOffAndKeepsNobodyWaiting) {
  EchoServer echo(Short(), [](const Request&) {
    return EventStreamResponse(std::make_shared<RepeatingSource>(std::string(16'000, 'x')));
  });
  WireClient deaf(echo.port());
  deaf.Send(Get("/"));
  ASSERT_TRUE(Eventually([&] { return echo.server().statistics().streams_now == 1; }));
  WireClient listener(echo.port());
  listener.Send(Get("/"));
  std::string received;
  EXPECT_TRUE(Eventually([&] {
    ReadSome(listener.fd(), received, 64 * 1024, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    return received.size() > 4'000'000;
  }));
  EXPECT_TRUE(Eventually([&] {
    ReadSome(listener.fd(), received, 64 * 1024, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    return echo.server().statistics().streams_now == 1;
  }));
}

TEST(HttpWireLimitsTest, SmugglingAttemptsAreRefusedAndNothingBehindThemIsServed) {
  EchoServer echo;
  const std::string hidden = Get("/hidden");
  const std::string length = std::to_string(hidden.size());
  for (const std::string& attempt :
       {Post("Content-Length: 0\r\nContent-Length: " + length + "\r\n", hidden),
        Post("Content-Length: " + length + "\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + hidden),
        Post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n" + hidden),
        Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + hidden),
        Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + hidden),
        Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n" + hidden),
        Post("Transfer-Encoding: chunked\r\n", "0\n\n" + hidden),
        Post("Transfer-Encoding: chunked\r\n", "1\r\nab\r\n0\r\n\r\n" + hidden),
        Post("X: y\r\n Content-Length: 5\r\n", hidden), Post("X: a\nContent-Length: 5\r\n", hidden),
        Post("Content-Length: 5\r\n\tX: y\r\n", hidden)}) {
    WireClient client(echo.port());
    client.Send(attempt);
    const std::string text = client.ReadToEnd().value_or("still open");
    EXPECT_THAT(text, ::testing::AnyOf(::testing::StartsWith("HTTP/1.1 400 "),
                                       ::testing::StartsWith("HTTP/1.1 501 ")))
        << attempt;
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("GET /hidden"))) << attempt;
  }
}

TEST(HttpWireLimitsTest, GarbageIsRefusedWithoutWaitingForMore) {
  EchoServer echo;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(echo.StatusOf(all), 400);
  EXPECT_EQ(echo.StatusOf("\x16\x03\x01\x02"), 400);
  EXPECT_EQ(echo.StatusOf(std::string("GET /\0 HTTP/1.1\r\n\r\n", 19)), 400);
  EXPECT_EQ(echo.StatusOf(Get("/", std::string("A: \0\r\n", 6))), 400);
  EXPECT_EQ(echo.StatusOf("SSH-2.0-client\r\n\r\n"), 400);
}

TEST(HttpWireLimitsTest, RandomBytesNeverStopTheServer) {
  EchoServer echo(Short());
  std::uint32_t state = 301;
  for (int round = 0; round < 60; ++round) {
    std::string bytes =
        round % 2 == 0 ? "" : "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 400; ++i) {
      state = state * 1664525 + 1013904223;
      bytes.push_back(static_cast<char>(state >> 24));
    }
    const int status = echo.StatusOf(bytes);
    EXPECT_TRUE(status >= 400 && status < 500) << status;
  }
  EXPECT_EQ(echo.StatusOf(Get("/")), 200);
}

}  // namespace
}  // namespace heliograph::server
