#include "ingestor/capture_source.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source_fixtures.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::seconds;

std::string Line(int number, const std::string& time = "2026-05-17T16:01:39Z") {
  return "{\"received_at\":\"" + time + "\",\"topic\":\"t\",\"payload\":{\"n\":" + std::to_string(number) +
         "}}";
}

class CaptureSourceTest : public testing::Test {
 protected:
  CaptureSourceTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "heliograph-capture-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~CaptureSourceTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& text) {
    const std::filesystem::path file = folder_ / "capture.jsonl";
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  /// Reads a capture to its end.
  SourceStatus ReadAll(const std::string& text, CaptureSource::Options options = {}) {
    auto source = CaptureSource::Open(Write(text), SourceIndex{2}, std::move(options));
    EXPECT_TRUE(source);
    (*source)->Start(sink_);
    EXPECT_TRUE(Eventually([&] { return (*source)->AtEnd(); }));
    return (*source)->Status();
  }

  std::filesystem::path folder_;
  RecordingSink sink_;
};

TEST_F(CaptureSourceTest, HandsOverEveryLineInOrder) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += Line(i) + "\n";
  const SourceStatus status = ReadAll(text);
  ASSERT_EQ(sink_.Count(), 3000U);
  EXPECT_EQ(sink_.Payloads()[2999], "{\"n\":2999}");
  EXPECT_EQ(sink_.Received().front().source, SourceIndex{2});
  EXPECT_EQ(FormatTime(sink_.Received().front().received_at), "2026-05-17T16:01:39Z");
  EXPECT_EQ(sink_.BatchSizes().front(), 512U);
  EXPECT_EQ(status.received, 3000U);
  EXPECT_EQ(status.unreadable, 0U);
  EXPECT_FALSE(status.last_error);
}

TEST_F(CaptureSourceTest, HandsLongLinesOverInSmallerBatches) {
  std::string text;
  for (int i = 0; i < 6; ++i)
    text +=
        R"({"received_at":"2026-05-17T16:01:39Z","topic":"t","payload":")" + std::string(40, 'x') + "\"}\n";
  CaptureSource::Options options;
  options.batch_bytes = 100;
  ReadAll(text, options);
  EXPECT_THAT(sink_.BatchSizes(), testing::ElementsAre(2U, 2U, 2U));
}

TEST_F(CaptureSourceTest, TakesThePayloadAsObjectOrString) {
  ReadAll(R"({"received_at":"2026-05-17T16:01:39Z","topic":"a","payload":"{\"raw\":\"00\"}"})"
          "\n"
          R"({"topic":"b","payload": {"raw" : "00"} ,"received_at":"2026-05-17T16:01:39Z","retained":true})");
  ASSERT_EQ(sink_.Count(), 2U);
  EXPECT_EQ(sink_.Payloads()[0], R"({"raw":"00"})");
  EXPECT_THAT(sink_.Payloads()[1], testing::StartsWith(R"({"raw" : "00"})"));
  EXPECT_TRUE(sink_.Received()[1].retained);
}

TEST_F(CaptureSourceTest, TakesCrLfBlankLinesAndAByteOrderMark) {
  const SourceStatus status = ReadAll("\xEF\xBB\xBF" + Line(1) + "\r\n\r\n  \n" + Line(2) + "\r\n");
  EXPECT_EQ(sink_.Count(), 2U);
  EXPECT_EQ(status.unreadable, 0U);
}

TEST_F(CaptureSourceTest, CountsUnreadableLinesAndGoesOn) {
  const std::string bad[] = {
      "{",
      "[]",
      "12",
      "{\"topic\":\"t\",\"payload\":{}}",
      "{\"received_at\":\"yesterday\",\"topic\":\"t\",\"payload\":{}}",
      "{\"received_at\":5,\"topic\":\"t\",\"payload\":{}}",
      "{\"received_at\":\"2026-05-17T16:01:39Z\",\"payload\":{}}",
      "{\"received_at\":\"2026-05-17T16:01:39Z\",\"topic\":\"t\"}",
      "{\"received_at\":\"2026-05-17T16:01:39Z\",\"topic\":\"t\",\"payload\":[]}",
      "{\"received_at\":\"2026-05-17T16:01:39Z\",\"topic\":\"\xff\",\"payload\":{}}",
      Line(1) + " trailing",
  };
  std::string text;
  for (const std::string& line : bad) text += line + "\n" + Line(7) + "\n";
  const SourceStatus status = ReadAll(text);
  EXPECT_EQ(status.unreadable, std::size(bad));
  EXPECT_EQ(sink_.Count(), std::size(bad));
  EXPECT_TRUE(status.last_error);
}

TEST_F(CaptureSourceTest, AnOverlongLineIsLeftOut) {
  const SourceStatus status =
      ReadAll(Line(1) + "\n{\"x\":\"" + std::string(10 << 20, 'x') + "\"}\n" + Line(2) + "\n");
  EXPECT_EQ(sink_.Count(), 2U);
  EXPECT_EQ(status.unreadable, 1U);
  EXPECT_THAT(*status.last_error, testing::HasSubstr("longer than 1048576 bytes"));
}

TEST_F(CaptureSourceTest, TheLastLineNeedsNoLineEndButMustBeWhole) {
  EXPECT_EQ(ReadAll(Line(1) + "\n" + Line(2)).received, 2U);
  const SourceStatus cut = ReadAll(Line(1) + "\n" + Line(2).substr(0, 40));
  EXPECT_EQ(cut.received, 1U);
  EXPECT_EQ(cut.unreadable, 1U);
  EXPECT_THAT(*cut.last_error, testing::HasSubstr("cut"));
}

TEST_F(CaptureSourceTest, ATimeToComeIsNow) {
  ReadAll(Line(1, "2999-01-01T00:00:00Z"));
  ASSERT_EQ(sink_.Count(), 1U);
  EXPECT_LE(sink_.Received().front().received_at, WallClockNow());
}

TEST_F(CaptureSourceTest, AnEmptyCaptureIsAtItsEnd) {
  EXPECT_EQ(ReadAll("").received, 0U);
}

TEST_F(CaptureSourceTest, ReportsProgress) {
  std::uint64_t read = 0, total = 0;
  CaptureSource::Options options;
  options.block_bytes = 64;
  options.progress = [&](std::uint64_t r, std::uint64_t t) { read = r, total = t; };
  const std::string text = Line(1) + "\n" + Line(2) + "\n";
  ReadAll(text, options);
  EXPECT_EQ(sink_.Count(), 2U);
  EXPECT_EQ(read, text.size());
  EXPECT_EQ(total, text.size());
}

TEST_F(CaptureSourceTest, WhatCannotBeOpenedIsAnError) {
  EXPECT_THAT(CaptureSource::Open(folder_ / "absent", SourceIndex{0}, {}).error(),
              testing::HasSubstr("absent"));
  EXPECT_THAT(CaptureSource::Open(folder_, SourceIndex{0}, {}).error(), testing::HasSubstr("folder"));
}

class CapturePipeTest : public testing::Test {
 protected:
  CapturePipeTest() {
    EXPECT_EQ(pipe(ends_), 0);
    source_ =
        std::make_unique<CaptureSource>(ends_[0], true, "pipe", SourceIndex{0}, CaptureSource::Options());
    source_->Start(sink_);
  }
  ~CapturePipeTest() override {
    if (ends_[1] >= 0) close(ends_[1]);
  }
  void Write(const std::string& text) {
    ASSERT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  int ends_[2] = {-1, -1};
  RecordingSink sink_;
  std::unique_ptr<CaptureSource> source_;
};

TEST_F(CapturePipeTest, HandsOverWhatIsThereWithoutWaitingForMore) {
  Write(Line(1) + "\n" + Line(2).substr(0, 20));
  EXPECT_TRUE(Eventually([&] { return sink_.Count() == 1; }));
  EXPECT_FALSE(source_->AtEnd());
  Write(Line(2).substr(20) + "\n");
  EXPECT_TRUE(Eventually([&] { return sink_.Count() == 2; }));
  close(ends_[1]);
  ends_[1] = -1;
  EXPECT_TRUE(Eventually([&] { return source_->AtEnd(); }));
}

TEST_F(CapturePipeTest, StopsWhileItWaits) {
  Write(Line(1) + "\n");
  ASSERT_TRUE(Eventually([&] { return sink_.Count() == 1; }));
  const auto start = std::chrono::steady_clock::now();
  source_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(2));
  EXPECT_TRUE(source_->AtEnd());
}

TEST_F(CapturePipeTest, EndsWhenTheSinkStops) {
  sink_.Stop();
  Write(Line(1) + "\n");
  EXPECT_TRUE(Eventually([&] { return source_->AtEnd(); }));
  EXPECT_EQ(source_->Status().received, 0U);
}

}  // namespace
}  // namespace heliograph::ingestor
