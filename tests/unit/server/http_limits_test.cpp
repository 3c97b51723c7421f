#include "server/http/limits.h"

#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

using std::chrono::seconds;

TEST(HttpLimitsTest, FollowTheConfiguration) {
  heliograph::HttpLimits configured;
  configured.max_connections = 8;
  configured.max_streams = 9;
  configured.max_body_bytes = 100'000'000;
  configured.max_header_bytes = 2048;
  configured.request_timeout = seconds(3);
  configured.idle_timeout = seconds(4);
  const HttpLimits limits = LimitsOf(configured);
  EXPECT_EQ(limits.max_connections, 8U);
  EXPECT_EQ(limits.max_streams, 9U);
  EXPECT_EQ(limits.max_body_bytes, 100'000'000U);
  EXPECT_EQ(limits.max_bodies_bytes, 100'000'000U) << "one body must fit into all";
  EXPECT_EQ(limits.max_head_bytes, 2048U);
  EXPECT_EQ(limits.max_target_bytes, 2048U) << "the path is part of the head";
  EXPECT_EQ(limits.head_timeout, seconds(3));
  EXPECT_EQ(limits.body_timeout, seconds(3));
  EXPECT_EQ(limits.idle_timeout, seconds(4));
}

}  // namespace
}  // namespace heliograph::server
