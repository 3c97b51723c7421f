#include "server/http/metrics.h"

#include <cmath>
#include <map>
#include <regex>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

struct Exposition {
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> samples;  // by name and labels
};

// A parser of the text format 0.0.4 that accepts nothing else.
Exposition Parse(const std::string& text) {
  static const std::regex kHelp(R"(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*)");
  static const std::regex kType(R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))");
  static const std::regex kSample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\})?) (NaN|[+-]Inf|-?[0-9.e+-]+))re");
  Exposition exposition;
  EXPECT_TRUE(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kType)) {
      EXPECT_TRUE(exposition.types.emplace(match[1], match[2]).second) << line;
    } else if (std::regex_match(line, match, kSample)) {
      EXPECT_TRUE(exposition.samples.emplace(match[1], match[2]).second) << line;
    } else {
      EXPECT_TRUE(std::regex_match(line, kHelp)) << line;
    }
  }
  return exposition;
}

TEST(MetricsTest, CountersAndGaugesAreWrittenOncePerSeries) {
  MetricsRegistry registry;
  registry.AddCounter("packets_total", "All packets.", {{"source", "a"}}).Increment(3);
  registry.AddCounter("packets_total", "All packets.", {{"source", "b"}}).Increment();
  registry.AddCounter("packets_total", "All packets.", {{"source", "a"}}).Increment();
  registry.AddGauge("age_seconds", "Age.").Set(-1.5);
  const Exposition exposition = Parse(registry.Text());
  EXPECT_EQ(exposition.types.at("packets_total"), "counter");
  EXPECT_EQ(exposition.samples.at("packets_total{source=\"a\"}"), "4");
  EXPECT_EQ(exposition.samples.at("packets_total{source=\"b\"}"), "1");
  EXPECT_EQ(exposition.samples.at("age_seconds"), "-1.5");
}

TEST(MetricsTest, BucketsOfAHistogramAreCumulative) {
  MetricsRegistry registry;
  Histogram& histogram = registry.AddHistogram("d_seconds", "Durations.", {0.1, 1}, {{"r", "x"}});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) {
    histogram.Observe(value);
  }
  const Exposition exposition = Parse(registry.Text());
  EXPECT_EQ(exposition.samples.at(R"(d_seconds_bucket{r="x",le="0.1"})"), "2");
  EXPECT_EQ(exposition.samples.at(R"(d_seconds_bucket{r="x",le="1"})"), "3");
  EXPECT_EQ(exposition.samples.at(R"(d_seconds_bucket{r="x",le="+Inf"})"), "4");
  EXPECT_EQ(exposition.samples.at(R"(d_seconds_count{r="x"})"), "4");
  EXPECT_EQ(exposition.samples.at(R"(d_seconds_sum{r="x"})"), "7.65");
}

TEST(MetricsTest, LabelsAndHelpAreEscaped) {
  MetricsRegistry registry;
  registry.AddGauge("g", "one\\two\nthree", {{"l", "a\"b\\c\nd"}}).Set(std::nan(""));
  const Exposition exposition = Parse(registry.Text());
  EXPECT_EQ(exposition.samples.at(R"(g{l="a\"b\\c\nd"})"), "NaN");
}

TEST(MetricsTest, CallbacksAreReadAtCollection) {
  MetricsRegistry registry;
  double value = 1;
  registry.AddGaugeCallback("g", "G.", [&value] { return value; });
  registry.AddCounterCallback("c_total", "C.", [&value] { return value * 2; });
  value = 21;
  const Exposition exposition = Parse(registry.Text());
  EXPECT_EQ(exposition.samples.at("g"), "21");
  EXPECT_EQ(exposition.samples.at("c_total"), "42");
}

TEST(MetricsTest, WrongNamesAndTypesAreErrorsOfTheProgram) {
  MetricsRegistry registry;
  registry.AddCounter("x_total", "X.");
  EXPECT_THROW(registry.AddGauge("x_total", "X."), std::logic_error);
  EXPECT_THROW(registry.AddCounter("1x", "X."), std::logic_error);
  EXPECT_THROW(registry.AddCounter("a-b", "X."), std::logic_error);
}

TEST(MetricsTest, RequestsAreCountedByRouteAndStatusClassFromManyThreads) {
  MetricsRegistry registry;
  RequestMetrics metrics(registry);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 500; ++i) {
        metrics.Observe("GET", "/api/nodes/{pubkey}", i % 2 == 0 ? 200 : 404, 0.001);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const Exposition exposition = Parse(registry.Text());
  EXPECT_EQ(exposition.samples.at("heliograph_http_request_duration_seconds_count"
                                  R"({method="GET",route="/api/nodes/{pubkey}",status="2xx"})"),
            "1000");
}

TEST(MetricsTest, TwoRegistriesAreOneExposition) {
  MetricsRegistry process, sample;
  process.AddGauge("a", "Of the process.").Set(1);
  process.AddGauge("both", "Of both.", {{"who", "process"}}).Set(2);
  sample.AddGauge("both", "Of both.", {{"who", "sample"}}).Set(3);
  sample.AddGauge("a", "Of the sample.").Set(4);
  sample.AddCounter("c_total", "Of the sample.");
  const Exposition exposition = Parse(process.TextWith(sample));
  EXPECT_EQ(exposition.types.size(), 3U);
  EXPECT_EQ(exposition.samples.at("a"), "1");
  EXPECT_EQ(exposition.samples.at("both{who=\"process\"}"), "2");
  EXPECT_EQ(exposition.samples.at("both{who=\"sample\"}"), "3");
  process.AddGauge("c_total", "A gauge here.");
  EXPECT_THROW(process.TextWith(sample), std::logic_error);
}

}  // namespace
}  // namespace heliograph::server
