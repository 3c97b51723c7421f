#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heliograph::server {

/// Label names and values in the order in which they are written. Values must come from a small fixed set.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only goes up. Thread-safe.
class Counter {
 public:
  void Increment(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Thread-safe.
class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// A distribution over fixed buckets. Thread-safe; a reader may see a sum and counts that differ by a few
/// samples.
class Histogram {
 public:
  /// REQUIRED: `bounds` are finite and ascend. +Inf is added.
  explicit Histogram(std::vector<double> bounds);
  void Observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  /// Samples in bucket `index` alone, not in those below; index bounds().size() is +Inf.
  std::uint64_t bucket(std::size_t index) const { return counts_[index].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

/// The metrics of one process, written in Prometheus' text format 0.0.4. Thread-safe. References stay valid
/// as long as the registry lives; asking again for the same name and labels gives the same object. A name
/// that is no metric name, or one that was registered with another type, throws std::logic_error.
class MetricsRegistry {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  Counter& AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& AddHistogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                          const Labels& labels = {});
  /// `read` is called at each collection, without a lock of its own: it must be thread-safe and must not use
  /// this registry. NaN means unknown.
  void AddGaugeCallback(const std::string& name, const std::string& help, std::function<double()> read,
                        const Labels& labels = {});
  /// The same for a value that only goes up.
  void AddCounterCallback(const std::string& name, const std::string& help, std::function<double()> read,
                          const Labels& labels = {});

  /// Every metric, families sorted by name.
  std::string Text() const;
  /// This registry and `other` as one exposition: a family that both have stands once, with the series of
  /// both; of a series that both have, the one of this registry. Throws std::logic_error when a family has
  /// two types. REQUIRED: `other` is another registry.
  std::string TextWith(const MetricsRegistry& other) const;

 private:
  enum class Type { kCounter, kGauge, kHistogram };
  struct Series {
    Labels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> read;
  };
  struct Family {
    Type type;
    std::string help;
    std::vector<std::unique_ptr<Series>> series;

    /// Null when there is none.
    Series* Find(const Labels& labels) const;
  };

  Series& SeriesOf(const std::string& name, const std::string& help, Type type, const Labels& labels);
  static void Append(std::string& out, const std::string& name, const Series& series);
  static void AppendHead(std::string& out, const std::string& name, const Family& family);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

/// The durations of requests by route and status class: `heliograph_http_request_duration_seconds`.
/// Thread-safe.
class RequestMetrics {
 public:
  explicit RequestMetrics(MetricsRegistry& registry) : registry_(registry) {}
  /// `route` is a template, never the path of a request.
  void Observe(std::string_view method, std::string_view route, int status, double seconds);

 private:
  MetricsRegistry& registry_;
  mutable std::mutex mutex_;
  std::map<std::string, Histogram*, std::less<>> known_;
};

}  // namespace heliograph::server
