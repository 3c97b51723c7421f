#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/http/etag.h"
#include "server/http/response_cache.h"
#include "server/http/router.h"
#include "tests/unit/server/http_wire_client.h"

namespace heliograph::server {
namespace {

using ::testing::HasSubstr;

TEST(HttpWireTest, ManyRequestsUseOneConnection) {
  EchoServer echo;
  WireClient client(echo.port());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.Send(Get("/" + std::to_string(i))));
    const auto response = client.Read();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "GET /" + std::to_string(i) + " ");
  }
  EXPECT_EQ(echo.server().statistics().accepted, 1U);
}

TEST(HttpWireTest, AnswersSayWhatTheyAre) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send(Get("/"));
  const auto response = client.Read();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->headers.at("content-type"), "application/json");
  EXPECT_EQ(response->headers.at("content-length"), "6");
  EXPECT_THAT(response->headers.at("date"), HasSubstr("GMT"));
}

TEST(HttpWireTest, PipelinedRequestsAreAnsweredInOrder) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send(Get("/1") + "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
              "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" +
              Get("/4"));
  EXPECT_EQ(client.Read()->body, "GET /1 ");
  EXPECT_EQ(client.Read()->body, "POST /2 abc");
  EXPECT_EQ(client.Read()->body, "POST /3 de");
  EXPECT_EQ(client.Read()->body, "GET /4 ");
}

TEST(HttpWireTest, ARequestMayArriveByteByByte) {
  EchoServer echo;
  WireClient client(echo.port());
  for (const char c : "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n") {
    if (c != '\0') {
      ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
    }
  }
  EXPECT_EQ(client.Read()->body, "POST / a");
}

TEST(HttpWireTest, HttpOneDotZeroIsAnsweredAndClosed) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd().value_or("still open"), HasSubstr("GET /old "));
}

TEST(HttpWireTest, ConnectionCloseIsHonoured) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send(Get("/", "Connection: close\r\n"));
  EXPECT_THAT(client.ReadToEnd().value_or("still open"), HasSubstr("Connection: close"));
}

TEST(HttpWireTest, HeadHasTheLengthAndNoBody) {
  const auto shared = std::make_shared<const std::string>(50'000, 'x');
  EchoServer echo({}, [shared](const Request&) {
    Response response;
    response.body = shared;
    return response;
  });
  WireClient client(echo.port());
  client.Send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + Get("/"));
  const auto head = client.Read(true);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->headers.at("content-length"), "50000");
  EXPECT_EQ(client.Read()->body, *shared);
}

TEST(HttpWireTest, NotModifiedHasNeitherBodyNorLength) {
  ResponseCache cache({1'000'000, 10});
  Router router;
  Route route;
  route.path = "/api/x";
  route.handler = [&cache](const Request& request) {
    return RespondCached(request, {"e", 1}, cache, [] { return std::string("{}"); });
  };
  router.Add(std::move(route));
  EchoServer echo({}, [&router](Request request) { return router.Handle(std::move(request)); });
  WireClient client(echo.port());
  client.Send(Get("/api/x"));
  const auto first = client.Read();
  ASSERT_TRUE(first.has_value());
  client.Send(Get("/api/x", "If-None-Match: W/" + first->headers.at("etag") + "\r\n") + Get("/api/y"));
  const auto second = client.Read();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->status, 304);
  EXPECT_EQ(second->headers.at("etag"), first->headers.at("etag"));
  EXPECT_EQ(second->headers.count("content-length"), 0U);
  EXPECT_EQ(client.Read()->status, 404);
}

TEST(HttpWireTest, ExpectContinueIsAnsweredBeforeTheBody) {
  EchoServer echo;
  WireClient client(echo.port());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read()->status, 100);
  client.Send("ab");
  EXPECT_EQ(client.Read()->body, "POST / ab");
}

TEST(HttpWireTest, AnExceptionOfTheHandlerLeavesTheConnectionAlive) {
  EchoServer echo({}, [](const Request& request) -> Response {
    if (request.path == "/throw") {
      throw std::runtime_error("x");
    }
    if (request.path == "/odd") {
      throw 7;
    }
    return JsonResponse("fine");
  });
  WireClient client(echo.port());
  client.Send(Get("/throw") + Get("/odd") + Get("/"));
  EXPECT_EQ(client.Read()->status, 500);
  EXPECT_EQ(client.Read()->status, 500);
  EXPECT_EQ(client.Read()->body, "fine");
}

TEST(HttpWireTest, AStreamIsSentPieceByPieceAndEndsTheConnection) {
  EchoServer echo({}, [](const Request&) {
    return EventStreamResponse(std::make_shared<RepeatingSource>("data: 1\n\n", 3));
  });
  WireClient client(echo.port());
  client.Send(Get("/"));
  const std::string text = client.ReadToEnd().value_or("still open");
  EXPECT_THAT(text, HasSubstr("Content-Type: text/event-stream\r\nConnection: close\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\n\r\ndata: 1\n\ndata: 1\n\ndata: 1\n\n"));
}

TEST(HttpWireTest, AStreamWhoseSourceFailsEndsAndLeavesTheOthersAlone) {
  struct Failing : EventSource {
    bool Append(std::string&, std::chrono::steady_clock::time_point) override {
      throw std::runtime_error("the source failed");
    }
  };
  EchoServer echo({}, [](const Request& request) {
    if (request.path == "/fails") return EventStreamResponse(std::make_shared<Failing>());
    return EventStreamResponse(std::make_shared<RepeatingSource>("data: 1\n\n", 2));
  });
  WireClient failing(echo.port()), fine(echo.port());
  failing.Send(Get("/fails"));
  fine.Send(Get("/"));
  EXPECT_THAT(fine.ReadToEnd().value_or("still open"), HasSubstr("data: 1\n\ndata: 1\n\n"));
  EXPECT_THAT(failing.ReadToEnd().value_or("still open"), ::testing::Not(HasSubstr("data:")));
}

TEST(HttpWireTest, ListenErrorsNameTheAddress) {
  EchoServer echo;
  HttpServer second({}, [](const Request&) { return Response{}; });
  try {
    second.Listen({"127.0.0.1", echo.port()});
    FAIL() << "two servers on one port";
  } catch (const ListenError& error) {
    EXPECT_EQ(error.kind(), ListenError::Kind::kAddressInUse);
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(echo.port())));
  }
  HttpServer third({}, [](const Request&) { return Response{}; });
  try {
    third.Listen({"192.0.2.1", 0});
    FAIL() << "listens on an address of somebody else";
  } catch (const ListenError& error) {
    EXPECT_EQ(error.kind(), ListenError::Kind::kBadAddress);
    EXPECT_THAT(error.what(), HasSubstr("192.0.2.1"));
  }
}

}  // namespace
}  // namespace heliograph::server
