#include "common/channel_key_config.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph {
namespace {

using ::testing::HasSubstr;

constexpr const char* kKey = "000102030405060708090a0b0c0d0e0f";

class ChannelKeyConfigTest : public ::testing::Test {
 protected:
  ~ChannelKeyConfigTest() override { std::filesystem::remove(file_); }

  void UseFile(const std::string& text) {
    std::ofstream(file_) << text;
    config_.channel_keys_path = file_;
  }
  std::string Error() const {
    const auto keys = LoadChannelKeys(config_);
    return keys ? "" : keys.error().message;
  }

  Config config_;
  const std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) / ("channel_keys." + std::to_string(getpid()));
};

TEST_F(ChannelKeyConfigTest, KeysComeFromTheFileTheHashtagsAndTheConfiguration) {
  UseFile(std::string(R"({"a":")") + kKey + R"("})");
  config_.hash_channels = {"#b"};
  config_.channel_keys["c"] = kKey;
  const auto keys = LoadChannelKeys(config_);
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->size(), 4U) << "with the channel that everyone has";
}

TEST_F(ChannelKeyConfigTest, AKeyThatIsNoneIsNamedWithItsPlace) {
  config_.channel_keys["#x"] = "abc";
  EXPECT_THAT(Error(), HasSubstr("channelKeys: the key of \"#x\""));
  config_.channel_keys.clear();
  for (const char* text : {R"({"#y":"abc"})", R"({"#y":7})"}) {
    UseFile(text);
    EXPECT_THAT(Error(), HasSubstr(file_.string() + " the key of \"#y\"")) << text;
  }
}

TEST_F(ChannelKeyConfigTest, AFileThatCanNotBeUsedIsNamed) {
  for (const char* text : {"", "[]", "{"}) {
    UseFile(text);
    EXPECT_THAT(Error(), HasSubstr(file_.string() + " is no JSON object")) << text;
  }
  config_.channel_keys_path = "/no/such/file";
  EXPECT_THAT(Error(), HasSubstr("can't read /no/such/file"));
}

}  // namespace
}  // namespace heliograph
