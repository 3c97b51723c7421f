#include "ingestor/pipeline.h"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "source_fixtures.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Passes a receipt's topic through as the detail of a drop.
Prepared Echo(const Receipt& receipt) {
  PreparedDrop drop;
  drop.detail = receipt.topic;
  return drop;
}

Receipt Message(const std::string& topic) {
  Receipt receipt;
  receipt.topic = topic;
  return receipt;
}

std::vector<Receipt> Messages(std::size_t count) {
  return std::vector<Receipt>(count, Message("m"));
}

std::string Detail(const Prepared& prepared) {
  return std::get<PreparedDrop>(prepared).detail;
}

bool IsReady(std::future<bool>& future) {
  return future.wait_for(seconds(0)) == std::future_status::ready;
}

TEST(PipelineTest, HasNoRoomForMoreBytesThanItsCapacity) {
  std::promise<void> go_on;
  std::shared_future<void> gate = go_on.get_future();
  Pipeline::Options options{1000, 1};
  options.capacity_bytes = 100;
  Pipeline pipeline(
      [gate](const Receipt& receipt) {
        gate.wait();
        return Echo(receipt);
      },
      options);
  EXPECT_TRUE(pipeline.Submit({Message(std::string(90, 'a'))}));
  auto second =
      std::async(std::launch::async, [&] { return pipeline.Submit({Message(std::string(90, 'b'))}); });
  EXPECT_TRUE(Eventually([&] { return pipeline.StallCount() == 1; }));
  EXPECT_FALSE(IsReady(second));
  go_on.set_value();
  EXPECT_TRUE(second.get());
}

TEST(PipelineTest, GivesBatchesOutInTheOrderOfSubmissionHoweverLongTheyTake) {
  Pipeline pipeline(
      [](const Receipt& receipt) {
        if (receipt.topic.back() % 3 == 0) std::this_thread::yield();
        return Echo(receipt);
      },
      {1000, 4});
  std::thread source([&] {
    for (int i = 0; i < 2000; ++i) {
      EXPECT_TRUE(pipeline.Submit({Message(std::to_string(i)), Message(std::to_string(i) + "b")}));
    }
  });
  for (int i = 0; i < 2000; ++i) {
    const std::optional<PreparedBatch> batch = pipeline.Next(seconds(20));
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->messages().size(), 2U);
    EXPECT_EQ(Detail(batch->messages()[0]), std::to_string(i));
    EXPECT_EQ(Detail(batch->messages()[1]), std::to_string(i) + "b");
  }
  source.join();
}

TEST(PipelineTest, ManySourcesLoseNothing) {
  Pipeline pipeline(Echo, {16, 3});
  std::vector<std::thread> sources;
  for (int s = 0; s < 4; ++s) {
    sources.emplace_back([&] {
      for (int i = 0; i < 500; ++i)
        EXPECT_TRUE(i % 50 == 0 ? pipeline.SubmitAndWait(Messages(3)) : pipeline.Submit(Messages(3)));
    });
  }
  std::size_t received = 0;
  while (received < 4 * 500 * 3) {
    std::optional<PreparedBatch> batch = pipeline.Next(seconds(20));
    ASSERT_TRUE(batch);
    received += batch->messages().size();
    batch->Committed();
  }
  for (std::thread& source : sources) source.join();
  EXPECT_EQ(pipeline.Depth(), 0U);
}

TEST(PipelineTest, ASourceWaitsForRoomAndTheStallIsCounted) {
  Pipeline pipeline(Echo, {4, 1});
  ASSERT_TRUE(pipeline.Submit(Messages(3)));
  auto second = std::async(std::launch::async, [&] { return pipeline.Submit(Messages(2)); });
  ASSERT_TRUE(Eventually([&] { return pipeline.StallCount() == 1; }));
  EXPECT_FALSE(IsReady(second));
  EXPECT_EQ(pipeline.Depth(), 3U);
  ASSERT_TRUE(pipeline.Next(seconds(20)));
  EXPECT_TRUE(second.get());
  EXPECT_EQ(pipeline.Depth(), 2U);
}

TEST(PipelineTest, ABatchAboveTheCapacityPassesAlone) {
  Pipeline pipeline(Echo, {4, 1});
  EXPECT_TRUE(pipeline.Submit(Messages(10)));
  const auto batch = pipeline.Next(seconds(20));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->messages().size(), 10U);
}

TEST(PipelineTest, SubmitAndWaitReturnsAfterTheCommit) {
  Pipeline pipeline(Echo, {});
  EXPECT_FALSE(pipeline.WaiterPresent());
  auto waiting = std::async(std::launch::async, [&] { return pipeline.SubmitAndWait(Messages(1)); });
  std::optional<PreparedBatch> batch = pipeline.Next(seconds(20));
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->IsAwaited());
  EXPECT_TRUE(pipeline.WaiterPresent());
  EXPECT_FALSE(IsReady(waiting));
  batch->Committed();
  EXPECT_FALSE(pipeline.WaiterPresent());
  EXPECT_TRUE(waiting.get());
}

TEST(PipelineTest, ABatchThatTheWriterDropsIsNotAcknowledged) {
  Pipeline pipeline(Echo, {});
  auto waiting = std::async(std::launch::async, [&] { return pipeline.SubmitAndWait(Messages(1)); });
  pipeline.Next(seconds(20)).reset();
  EXPECT_FALSE(waiting.get());
}

TEST(PipelineTest, StopWakesEverybodyAndRefusesTheRest) {
  Pipeline pipeline(Echo, {1, 1});
  auto waiting = std::async(std::launch::async, [&] { return pipeline.SubmitAndWait(Messages(1)); });
  ASSERT_TRUE(Eventually([&] { return pipeline.Depth() == 1; }));
  auto blocked = std::async(std::launch::async, [&] { return pipeline.Submit(Messages(1)); });
  ASSERT_TRUE(Eventually([&] { return pipeline.StallCount() == 1; }));
  pipeline.Stop();
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(blocked.get());
  EXPECT_FALSE(pipeline.Submit(Messages(1)));
  EXPECT_FALSE(pipeline.Next(seconds(20)));
  EXPECT_TRUE(pipeline.IsDrained());
}

TEST(PipelineTest, StopEndsAWriterThatWaits) {
  Pipeline pipeline(Echo, {});
  auto next = std::async(std::launch::async, [&] { return pipeline.Next(seconds(60)).has_value(); });
  pipeline.Stop();
  EXPECT_FALSE(next.get());
}

TEST(PipelineTest, ACommitAfterStopAcknowledgesNothing) {
  Pipeline pipeline(Echo, {});
  auto waiting = std::async(std::launch::async, [&] { return pipeline.SubmitAndWait(Messages(1)); });
  std::optional<PreparedBatch> batch = pipeline.Next(seconds(20));
  pipeline.Stop();
  EXPECT_FALSE(waiting.get());
  batch->Committed();
}

TEST(PipelineTest, AClosedIntakeStillGivesOutWhatWasTaken) {
  Pipeline pipeline(Echo, {});
  ASSERT_TRUE(pipeline.Submit(Messages(2)));
  pipeline.CloseIntake();
  EXPECT_FALSE(pipeline.Submit(Messages(1)));
  EXPECT_FALSE(pipeline.IsDrained());
  EXPECT_TRUE(pipeline.Next(seconds(20)));
  EXPECT_TRUE(pipeline.IsDrained());
  EXPECT_FALSE(pipeline.Next(seconds(20)));
}

TEST(PipelineTest, NextReturnsWithNothingWhenNothingComes) {
  Pipeline pipeline(Echo, {});
  EXPECT_FALSE(pipeline.Next(milliseconds(0)));
  EXPECT_TRUE(pipeline.Submit({}));
  EXPECT_FALSE(pipeline.Next(milliseconds(10)));
}

TEST(PipelineTest, AFailureOfPreparationReachesTheWriter) {
  Pipeline pipeline([](const Receipt&) -> Prepared { throw std::runtime_error("no memory"); }, {});
  auto waiting = std::async(std::launch::async, [&] { return pipeline.SubmitAndWait(Messages(1)); });
  EXPECT_THROW(pipeline.Next(seconds(20)), std::runtime_error);
  EXPECT_FALSE(waiting.get());
}

TEST(PipelineTest, CanBeDestroyedWhileSourcesSubmit) {
  for (int round = 0; round < 50; ++round) {
    auto pipeline = std::make_unique<Pipeline>(Echo, Pipeline::Options{2, 2});
    std::atomic<int> inside = 0;
    std::vector<std::thread> sources;
    for (int i = 0; i < 3; ++i) {
      sources.emplace_back([&, raw = pipeline.get()] {
        ++inside;
        EXPECT_FALSE(raw->SubmitAndWait(Messages(2)));
      });
    }
    // One of the three has the room, the others wait for it: all are inside, and all have to come out.
    ASSERT_TRUE(Eventually([&] { return inside == 3 && pipeline->StallCount() == 2; }));
    pipeline.reset();
    for (std::thread& source : sources) source.join();
  }
}

}  // namespace
}  // namespace heliograph::ingestor
