#include "common/text.h"

#include <gtest/gtest.h>

namespace heliograph {
namespace {

TEST(TextTest, WellFormedUtf8IsValid) {
  for (const char* text : {"", "plain", "é", "€", "🌳", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\x7F"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
}

TEST(TextTest, BrokenUtf8IsNot) {
  for (const char* text :
       {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF", "ok\xE2\x82"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << text;
  }
}

TEST(TextTest, BrokenBytesAreReplacedOneByOne) {
  EXPECT_EQ(ToValidUtf8("a\xFF\xC3z€"), "a\uFFFD\uFFFDz€");
  EXPECT_EQ(ToValidUtf8("\xE2\x82"), "\uFFFD\uFFFD");
}

TEST(TextTest, TruncationKeepsWholeSequences) {
  EXPECT_EQ(TruncateUtf8("abc", 3), "abc");
  EXPECT_EQ(TruncateUtf8("abc", 2), "ab");
  EXPECT_EQ(TruncateUtf8("a🌳", 4), "a");
  EXPECT_EQ(TruncateUtf8("a🌳", 5), "a🌳");
  EXPECT_EQ(TruncateUtf8("é", 1), "");
  EXPECT_EQ(TruncateUtf8("é", 0), "");
  EXPECT_EQ(TruncateUtf8("\x80\x80\x80\x80\x80\x80", 5).size(), 5u) << "no sequence, so any cut is as good";
}

TEST(TextTest, LogsGetOneLineWithoutControlCharacters) {
  EXPECT_EQ(ToPrintable("a\nb\x1B[31m\x7F é"), "a?b?[31m? é");
}

TEST(TextTest, SpaceIsTrimmedAtBothEnds) {
  EXPECT_EQ(TrimSpace(" \t a b\r\n"), "a b");
  EXPECT_EQ(TrimSpace(" \n "), "");
  EXPECT_EQ(TrimSpace(""), "");
}

}  // namespace
}  // namespace heliograph
