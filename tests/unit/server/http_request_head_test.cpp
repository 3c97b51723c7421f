#include "server/http/request_head.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

const HttpLimits kLimits;

// Scans and parses; the status of a refusal, 0 when bytes are missing, 200 when the head is fine.
int StatusOf(const std::string& text) {
  RequestHeadScanner scanner(kLimits);
  const auto length = scanner.Scan(text);
  if (!length) {
    return length.error().status;
  }
  if (*length == 0) {
    return 0;
  }
  const auto head = ParseRequestHead(std::string_view(text).substr(0, *length), kLimits);
  return head ? 200 : head.error().status;
}

RequestHead Parsed(const std::string& text) {
  auto head = ParseRequestHead(text, kLimits);
  EXPECT_TRUE(head.has_value()) << text;
  return head.value_or(RequestHead{});
}

std::string Get(const std::string& headers) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

TEST(RequestHeadTest, ReadsARequest) {
  const RequestHead head =
      Parsed("\r\nPOST /a%20b?x=1?2 HTTP/1.1\r\nhost: h\r\nX-Y:  v w \t\r\nContent-Length: 12\r\n\r\n");
  EXPECT_EQ(head.method, Method::kPost);
  EXPECT_EQ(head.path, "/a%20b");
  EXPECT_EQ(head.query, "x=1?2");
  EXPECT_EQ(head.headers[1].value, "v w");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_FALSE(head.wants_close);
}

TEST(RequestHeadTest, ReadsTheAbsoluteForm) {
  EXPECT_EQ(Parsed("GET http://h:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n").path, "/p");
  EXPECT_EQ(Parsed("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
}

TEST(RequestHeadTest, KnowsWhenToClose) {
  EXPECT_TRUE(Parsed("GET / HTTP/1.0\r\n\r\n").wants_close);
  EXPECT_TRUE(Parsed(Get("Connection: keep-alive, Close\r\n")).wants_close);
  EXPECT_FALSE(Parsed(Get("Connection: keep-alive\r\n")).wants_close);
}

TEST(RequestHeadTest, RefusesMalformedRequestLines) {
  for (const char* line :
       {"GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /a b HTTP/1.1",
        "GE(T / HTTP/1.1", "GET x HTTP/1.1", "GET / http/1.1", "GET /\x01 HTTP/1.1", "GET /#f HTTP/1.1",
        "GET * HTTP/1.1", "CONNECT h:80 HTTP/1.1"}) {
    EXPECT_EQ(StatusOf(std::string(line) + "\r\nHost: h\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(StatusOf("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
}

TEST(RequestHeadTest, RefusesWhatTwoProgramsCouldReadInTwoWays) {
  for (const char* headers : {"Content-Length: 1\r\nContent-Length: 1\r\n",
                              "Content-Length: 1\r\ncontent-length: 2\r\n",
                              "Content-Length: 1, 1\r\n",
                              "Content-Length: +1\r\n",
                              "Content-Length: -1\r\n",
                              "Content-Length: 0x1\r\n",
                              "Content-Length: 1 2\r\n",
                              "Content-Length:\r\n",
                              "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Content-Length : 1\r\n",
                              "Transfer-Encoding : chunked\r\n",
                              "A: b\r\n c\r\n",
                              "A: b\r\n\tc\r\n",
                              " A: b\r\n",
                              "A b\r\n",
                              ": b\r\n",
                              "Host: other\r\n",
                              "A: b\x01\r\n",
                              "A\tB: c\r\n"}) {
    EXPECT_EQ(StatusOf(Get(headers)), 400) << headers;
  }
  for (const char* headers : {"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
                              "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: xchunked\r\n"}) {
    EXPECT_EQ(StatusOf(Get(headers)), 501) << headers;
  }
  EXPECT_EQ(StatusOf("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf(Get("Content-Length: 99999999999999999999999\r\n")), 413);
  EXPECT_EQ(StatusOf(Get("Expect: the-unexpected\r\n")), 417);
}

TEST(RequestHeadTest, BareLineEndsAndNulsAreRefusedAsSoonAsTheyCome) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\nHost: h\n\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\r\r\n"), 400);
  EXPECT_EQ(StatusOf(std::string("GET /\0", 6)), 400);
}

TEST(RequestHeadTest, OtherProtocolsAreRefusedAtTheirFirstByte) {
  EXPECT_EQ(StatusOf("\x16\x03\x01"), 400);
  EXPECT_EQ(StatusOf("{"), 400);
  EXPECT_EQ(StatusOf("G"), 0);
}

TEST(RequestHeadTest, LimitsHoldBeforeTheHeadIsComplete) {
  EXPECT_EQ(StatusOf("GET /" + std::string(8100, 'a')), 414);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: " + std::string(16 * 1024, 'a')), 431);
  std::string endless;
  for (int i = 0; i < 20'000; ++i) {
    endless += "\r\n";
  }
  EXPECT_EQ(StatusOf(endless), 431);
}

TEST(RequestHeadTest, LimitsHoldAtTheirExactValue) {
  EXPECT_EQ(StatusOf("GET /" + std::string(7999, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
  EXPECT_EQ(StatusOf("GET /" + std::string(8000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), 414);
  std::string headers;
  for (int i = 0; i < 99; ++i) {
    headers += "A: b\r\n";
  }
  EXPECT_EQ(StatusOf(Get(headers)), 200);
  EXPECT_EQ(StatusOf(Get(headers + "A: b\r\n")), 431);
}

TEST(RequestHeadTest, AnySplitGivesTheSameHead) {
  const std::string text = Get("A: b\r\n");
  const std::string sent = text + "GET /next";
  for (std::size_t cut = 1; cut < sent.size(); ++cut) {
    RequestHeadScanner scanner(kLimits);
    auto length = scanner.Scan(std::string_view(sent).substr(0, cut));
    ASSERT_TRUE(length.has_value()) << cut;
    if (*length == 0) {
      length = scanner.Scan(sent);
    }
    EXPECT_EQ(length, text.size()) << cut;
  }
}

}  // namespace
}  // namespace heliograph::server
