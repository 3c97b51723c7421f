#include "server/http/chunked_body.h"

#include <string>

#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

// The status of a refusal, 0 when bytes are missing, 200 when the body is complete.
int StatusOf(const std::string& chunks, std::string* body = nullptr) {
  ChunkedBodyDecoder decoder(100);
  std::string own;
  const auto consumed = decoder.Decode(chunks, body == nullptr ? own : *body);
  if (!consumed) {
    return consumed.error().status;
  }
  return decoder.done() ? 200 : 0;
}

TEST(ChunkedBodyTest, JoinsChunksAndDropsExtensionsAndTrailers) {
  std::string body;
  EXPECT_EQ(StatusOf("3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n", &body), 200);
  EXPECT_EQ(body, "abc0123456789");
}

TEST(ChunkedBodyTest, LeavesWhatFollowsTheBody) {
  ChunkedBodyDecoder decoder(100);
  std::string body;
  EXPECT_EQ(decoder.Decode("1\r\na\r\n0\r\n\r\nGET /", body), 11U);
  EXPECT_TRUE(decoder.done());
}

TEST(ChunkedBodyTest, AnySplitGivesTheSameBody) {
  const std::string chunks = "3;e\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t cut = 0; cut <= chunks.size(); ++cut) {
    ChunkedBodyDecoder decoder(100);
    std::string body;
    ASSERT_EQ(decoder.Decode(chunks.substr(0, cut), body), cut);
    ASSERT_EQ(decoder.Decode(chunks.substr(cut), body), chunks.size() - cut);
    EXPECT_TRUE(decoder.done());
    EXPECT_EQ(body, "abcde");
  }
}

TEST(ChunkedBodyTest, RefusesMalformedChunks) {
  for (const char* chunks : {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "1 \r\na", "0x1\r\n", "1\na",
                             "1\r\nab", "1\r\na\n", "1\r\na\rx", "000000001\r\n", "FFFFFFFFFFFFFFFF\r\n",
                             "1;\x01\r\n", "0\r\n\x01", "0\r\n\n", ";x\r\n", "1;a\nb"}) {
    EXPECT_EQ(StatusOf(chunks), 400) << chunks;
  }
}

TEST(ChunkedBodyTest, RefusesTooMuchAsSoonAsItIsAnnounced) {
  EXPECT_EQ(StatusOf("64\r\n"), 0);
  EXPECT_EQ(StatusOf("65\r\n"), 413);
  EXPECT_EQ(StatusOf("ffffffff\r\n"), 413);
  EXPECT_EQ(StatusOf("64\r\n" + std::string(100, 'a') + "\r\n1\r\n"), 413);
}

TEST(ChunkedBodyTest, ExtensionsAndTrailersAreBounded) {
  EXPECT_EQ(StatusOf("1;" + std::string(300, 'a')), 400);
  EXPECT_EQ(StatusOf("0\r\n" + std::string(5000, 'a')), 431);
}

}  // namespace
}  // namespace heliograph::server
