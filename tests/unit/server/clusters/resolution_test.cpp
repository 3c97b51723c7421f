#include "server/analytics/clusters/resolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/clusters/planted_graph.h"

namespace heliograph::server {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

ResolutionSearch SmallSearch() {
  ResolutionSearch search;
  search.parameters.runs = 4;
  search.grid = {0.05, 1, 2, 6, 16};
  search.replicas = 4;
  return search;
}

const ResolutionTrial& TrialOf(const ResolutionChoice& choice, double resolution) {
  for (const ResolutionTrial& trial : choice.trials)
    if (trial.resolution == resolution) return trial;
  throw std::out_of_range("no such trial");
}

TEST(Resolution, ChoosesOneThatFindsThePlantedGroups) {
  const ItemGraph graph = RandomGroups(8, 16, 9, 1, 21).Build();
  const auto choice = ChooseResolution(graph, SmallSearch(), {});
  ASSERT_TRUE(choice);
  EXPECT_EQ(TrialOf(*choice, choice->resolution).clusters, 8U);
  EXPECT_GT(TrialOf(*choice, choice->resolution).stability, TrialOf(*choice, 16).stability);
}

TEST(Resolution, OneGroupOfAllIsNotTakenForStable) {
  const ItemGraph graph = RandomGroups(4, 16, 8, 2, 22).Build();
  const auto choice = ChooseResolution(graph, SmallSearch(), {});
  ASSERT_TRUE(choice);
  ASSERT_LT(TrialOf(*choice, 0.05).clusters, 2U);
  EXPECT_GE(choice->resolution, 1);
}

TEST(Resolution, IsTheSameForTheSameGraph) {
  const GraphInput input = RandomGroups(4, 12, 5, 2, 23);
  const auto choice = ChooseResolution(input.Build(), SmallSearch(), {});
  const auto again = ChooseResolution(input.Shuffled(9).Build(), SmallSearch(), {});
  ASSERT_TRUE(choice && again);
  EXPECT_EQ(choice->trials, again->trials);
}

TEST(Resolution, TellsHowFarItIs) {
  ResolutionSearch search = SmallSearch();
  std::vector<std::size_t> done, all;
  search.progress = [&](std::size_t now, std::size_t of) {
    done.push_back(now);
    all.push_back(of);
  };
  ASSERT_TRUE(ChooseResolution(RingOfCliques(3, 4).Build(), search, {}));
  EXPECT_THAT(done, SizeIs(25));
  EXPECT_EQ(done.back(), 25U);
  EXPECT_THAT(all, Each(25));
}

TEST(Resolution, StopsWhenAsked) {
  std::stop_source stop;
  ResolutionSearch search = SmallSearch();
  search.progress = [&](std::size_t now, std::size_t) {
    if (now == 3) stop.request_stop();
  };
  const auto choice = ChooseResolution(RingOfCliques(3, 4).Build(), search, stop.get_token());
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().fault, PartitionError::Fault::kCancelled);
}

TEST(Resolution, NeedsSomethingToTry) {
  ResolutionSearch search = SmallSearch();
  search.grid.clear();
  EXPECT_EQ(ChooseResolution(ItemGraph(), search, {}).error().fault, PartitionError::Fault::kParameters);
}

}  // namespace
}  // namespace heliograph::server
