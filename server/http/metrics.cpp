#include "server/http/metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace heliograph::server {
namespace {

bool IsMetricName(std::string_view name) {
  const auto allowed = [](char c, bool first) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    return letter || (!first && c >= '0' && c <= '9');
  };
  return !name.empty() && allowed(name[0], true) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return allowed(c, false); });
}

std::string NumberText(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string Escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void AppendSample(std::string& out, const std::string& name, const Labels& labels, const std::string& value,
                  const std::string& bound = {}) {
  out += name;
  if (!labels.empty() || !bound.empty()) {
    out.push_back('{');
    for (const auto& [key, text] : labels) {
      out += (out.back() == '{' ? "" : ",") + key + "=\"" + Escaped(text, true) + "\"";
    }
    if (!bound.empty()) {
      out += std::string(out.back() == '{' ? "" : ",") + "le=\"" + bound + "\"";
    }
    out.push_back('}');
  }
  out += " " + value + "\n";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Counter& MetricsRegistry::AddCounter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = SeriesOf(name, help, Type::kCounter, labels);
  if (series.counter == nullptr) {
    series.counter = std::make_unique<Counter>();
  }
  return *series.counter;
}

Gauge& MetricsRegistry::AddGauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = SeriesOf(name, help, Type::kGauge, labels);
  if (series.gauge == nullptr) {
    series.gauge = std::make_unique<Gauge>();
  }
  return *series.gauge;
}

Histogram& MetricsRegistry::AddHistogram(const std::string& name, const std::string& help,
                                         const std::vector<double>& bounds, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = SeriesOf(name, help, Type::kHistogram, labels);
  if (series.histogram == nullptr) {
    series.histogram = std::make_unique<Histogram>(bounds);
  }
  return *series.histogram;
}

void MetricsRegistry::AddGaugeCallback(const std::string& name, const std::string& help,
                                       std::function<double()> read, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  SeriesOf(name, help, Type::kGauge, labels).read = std::move(read);
}

void MetricsRegistry::AddCounterCallback(const std::string& name, const std::string& help,
                                         std::function<double()> read, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  SeriesOf(name, help, Type::kCounter, labels).read = std::move(read);
}

MetricsRegistry::Series* MetricsRegistry::Family::Find(const Labels& labels) const {
  const auto found =
      std::find_if(series.begin(), series.end(), [&](const auto& one) { return one->labels == labels; });
  return found == series.end() ? nullptr : found->get();
}

MetricsRegistry::Series& MetricsRegistry::SeriesOf(const std::string& name, const std::string& help,
                                                   Type type, const Labels& labels) {
  if (!IsMetricName(name)) {
    throw std::logic_error("not a metric name: " + name);
  }
  Family& family = families_.try_emplace(name, Family{type, help, {}}).first->second;
  if (family.type != type) {
    throw std::logic_error("metric " + name + " is registered with another type");
  }
  if (Series* known = family.Find(labels)) {
    return *known;
  }
  family.series.push_back(std::make_unique<Series>());
  family.series.back()->labels = labels;
  return *family.series.back();
}

void MetricsRegistry::Append(std::string& out, const std::string& name, const Series& series) {
  if (series.read) {
    AppendSample(out, name, series.labels, NumberText(series.read()));
  } else if (series.counter != nullptr) {
    AppendSample(out, name, series.labels, std::to_string(series.counter->value()));
  } else if (series.gauge != nullptr) {
    AppendSample(out, name, series.labels, NumberText(series.gauge->value()));
  } else if (series.histogram != nullptr) {
    const Histogram& histogram = *series.histogram;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
      count += histogram.bucket(i);
      const std::string bound = i < histogram.bounds().size() ? NumberText(histogram.bounds()[i]) : "+Inf";
      AppendSample(out, name + "_bucket", series.labels, std::to_string(count), bound);
    }
    AppendSample(out, name + "_sum", series.labels, NumberText(histogram.sum()));
    AppendSample(out, name + "_count", series.labels, std::to_string(count));
  }
}

void MetricsRegistry::AppendHead(std::string& out, const std::string& name, const Family& family) {
  constexpr std::array<std::string_view, 3> kTypeNames{"counter", "gauge", "histogram"};
  out += "# HELP " + name + " " + Escaped(family.help, false) + "\n";
  out += "# TYPE " + name + " " + std::string(kTypeNames[static_cast<std::size_t>(family.type)]) + "\n";
}

std::string MetricsRegistry::Text() const {
  const MetricsRegistry none;
  return TextWith(none);
}

std::string MetricsRegistry::TextWith(const MetricsRegistry& other) const {
  const std::scoped_lock lock(mutex_, other.mutex_);
  std::map<std::string_view, std::pair<const Family*, const Family*>> families;
  for (const auto& [name, family] : families_) families[name].first = &family;
  for (const auto& [name, family] : other.families_) families[name].second = &family;
  std::string out;
  for (const auto& [view, both] : families) {
    const std::string name(view);
    const auto& [own, added] = both;
    if (own != nullptr && added != nullptr && own->type != added->type) {
      throw std::logic_error("metric " + name + " has two types");
    }
    AppendHead(out, name, own != nullptr ? *own : *added);
    if (own != nullptr) {
      for (const auto& series : own->series) Append(out, name, *series);
    }
    if (added == nullptr) continue;
    for (const auto& series : added->series) {
      if (own == nullptr || own->Find(series->labels) == nullptr) Append(out, name, *series);
    }
  }
  return out;
}

void RequestMetrics::Observe(std::string_view method, std::string_view route, int status, double seconds) {
  static const std::vector<double> kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                           0.1,    0.25,  0.5,    1,     2.5,  10};
  std::string key(method);
  key += ' ';
  key += route;
  key += ' ';
  key.push_back(static_cast<char>('0' + std::clamp(status / 100, 0, 9)));
  Histogram* histogram = nullptr;
  {
    const std::lock_guard lock(mutex_);
    Histogram*& known = known_[key];
    if (known == nullptr) {
      known =
          &registry_.AddHistogram("heliograph_http_request_duration_seconds",
                                  "Time from the whole request to the whole answer of its handler.", kBounds,
                                  {{"method", std::string(method)},
                                   {"route", std::string(route)},
                                   {"status", std::string(1, key.back()) + "xx"}});
    }
    histogram = known;
  }
  histogram->Observe(seconds);
}

}  // namespace heliograph::server
