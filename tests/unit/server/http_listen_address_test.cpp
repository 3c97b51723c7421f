#include "server/http/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

TEST(ListenAddressTest, ReadsNamesIpv4Ipv6AndPortZero) {
  const auto v6 = ListenAddress::Parse("[::1]:8080");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 8080);
  EXPECT_EQ(v6->ToText(), "[::1]:8080");
  EXPECT_EQ(ListenAddress::Parse("localhost:0")->ToText(), "localhost:0");
  EXPECT_EQ(ListenAddress::Parse(":80")->host, "0.0.0.0");
}

TEST(ListenAddressTest, SaysWhatIsWrongWithTheText) {
  for (const char* text :
       {"", "8080", "localhost", "localhost:", "localhost:x", "localhost:65536", "localhost:-1", "::1:80",
        "[::1:80", "[::1]80", "[nonsense]:80", "a b:80", "[]:80", "http://x:80"}) {
    const auto parsed = ListenAddress::Parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_THAT(parsed.error(), ::testing::HasSubstr("'" + std::string(text) + "'"));
  }
}

TEST(ListenAddressTest, KnowsLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(ListenAddress::Parse(text)->IsLoopback()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "[::]:1", "example.org:1", "128.0.0.1:1", "localhost.example.org:1"}) {
    EXPECT_FALSE(ListenAddress::Parse(text)->IsLoopback()) << text;
  }
}

}  // namespace
}  // namespace heliograph::server
