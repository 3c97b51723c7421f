#include "common/geo_filter.h"

#include <gtest/gtest.h>

namespace heliograph {
namespace {

const std::vector<GeoPoint> kSquare = {{50, 10}, {50, 12}, {52, 12}, {52, 10}};

TEST(GeoFilterTest, NodeWithoutAPositionPasses) {
  const GeoFilter filter{kSquare, 0, std::nullopt};
  EXPECT_TRUE(filter.Passes(std::nullopt));
  EXPECT_TRUE(filter.Passes(GeoPoint{0, 0}));
  EXPECT_FALSE(filter.Passes(GeoPoint{0, 1}));
}

TEST(GeoFilterTest, PolygonSeparatesInsideFromOutside) {
  const GeoFilter filter{kSquare, 0, std::nullopt};
  EXPECT_TRUE(filter.Passes(GeoPoint{51, 11}));
  EXPECT_FALSE(filter.Passes(GeoPoint{53, 11}));
  EXPECT_FALSE(filter.Passes(GeoPoint{51, 12.01}));
}

TEST(GeoFilterTest, PolygonMayBeConcave) {
  const GeoFilter filter{{{0, 1}, {0, 5}, {4, 5}, {4, 4}, {1, 4}, {1, 1}}, 0, std::nullopt};
  EXPECT_TRUE(filter.Passes(GeoPoint{3, 4.5}));
  EXPECT_FALSE(filter.Passes(GeoPoint{3, 2}));
}

TEST(GeoFilterTest, BufferReachesBeyondEdgesAndCorners) {
  const GeoFilter filter{kSquare, 20, std::nullopt};
  EXPECT_TRUE(filter.Passes(GeoPoint{52.17, 11})) << "18.9 km north";
  EXPECT_FALSE(filter.Passes(GeoPoint{52.19, 11})) << "21.1 km north";
  EXPECT_TRUE(filter.Passes(GeoPoint{51, 12.27})) << "18.9 km east: a degree is 69.9 km here";
  EXPECT_FALSE(filter.Passes(GeoPoint{51, 12.30})) << "21.0 km east";
  EXPECT_TRUE(filter.Passes(GeoPoint{52.1, 12.1})) << "13.1 km from the corner";
  EXPECT_FALSE(filter.Passes(GeoPoint{52.17, 12.27}));
}

TEST(GeoFilterTest, BoxCountsOnlyWithoutAPolygon) {
  const GeoBox box{40, 41, 1, 2};
  const GeoFilter boxed{{}, 0, box};
  EXPECT_TRUE(boxed.Passes(GeoPoint{40, 2}));
  EXPECT_FALSE(boxed.Passes(GeoPoint{41.01, 1}));
  EXPECT_FALSE(boxed.Passes(GeoPoint{40.5, 0.99}));
  EXPECT_FALSE((GeoFilter{kSquare, 0, box}.Passes(GeoPoint{40.5, 1.5})));
  EXPECT_TRUE((GeoFilter{{{50, 10}, {50, 12}}, 0, box}.Passes(GeoPoint{40.5, 1.5})))
      << "two points are no area";
}

TEST(GeoFilterTest, WithoutAnAreaEverythingPasses) {
  EXPECT_TRUE(GeoFilter{}.Passes(GeoPoint{89, 179}));
}

}  // namespace
}  // namespace heliograph
