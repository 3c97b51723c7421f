#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <vector>

#include "tests/meshsim/capture.h"
#include "tests/meshsim/capture_writer.h"
#include "tests/meshsim/mqtt_publisher.h"
#include "tests/meshsim/truth_writer.h"

namespace heliograph::meshsim {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The capture file, standard output, or nowhere for an empty path.
class Output {
 public:
  explicit Output(const std::string& path) : buffer_(kBufferBytes) {
    if (path.empty()) return;
    if (path != "-") opened_.reset(std::fopen(path.c_str(), "wb"));
    file_ = path == "-" ? stdout : opened_.get();
    if (file_ == nullptr) {
      Fail();
    } else {
      std::setvbuf(file_, buffer_.data(), _IOFBF, buffer_.size());
    }
  }

  bool Write(std::string_view line, bool at_once) {
    bytes_ += line.size();
    if (file_ == nullptr) return true;
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() ||
        (at_once && std::fflush(file_) != 0))
      Fail();
    return error_ == 0;
  }

  void Finish() {
    if (file_ != nullptr && error_ == 0 && std::fflush(file_) != 0) Fail();
  }

  int error() const { return error_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void Fail() { error_ = errno; }

  std::vector<char> buffer_;
  std::unique_ptr<std::FILE, FileCloser> opened_;
  std::FILE* file_ = nullptr;
  int error_ = 0;
  std::uint64_t bytes_ = 0;
};

void PrintReport(const Capture& capture, const Options& options, std::uint64_t bytes, double seconds) {
  const Tally::Totals& totals = capture.tally().totals();
  const auto messages = static_cast<double>(totals.messages);
  const auto transmissions = static_cast<double>(std::max<std::uint64_t>(1, totals.transmissions));
  const double mean = static_cast<double>(totals.observations) / transmissions;
  std::fprintf(stderr,
               "meshsim: %llu messages in %.2f s (%.0f/s), %.0f bytes each; %llu transmissions, %.2f "
               "observations each, "
               "%.1f %% adverts; %zu observers\n",
               static_cast<unsigned long long>(totals.messages), seconds, messages / seconds,
               static_cast<double>(bytes) / std::max(1.0, messages),
               static_cast<unsigned long long>(totals.transmissions), mean,
               100 * static_cast<double>(totals.adverts) / transmissions,
               capture.observers().observers.size());
  if (options.observation_aim && mean < 0.95 * *options.observation_aim) {
    std::fprintf(
        stderr,
        "meshsim: %.1f observations a transmission are more than these observers hear; give more --observers "
        "or more --nodes for each region\n",
        *options.observation_aim);
  }
}

bool SaveTruth(const Options& options, const Capture& capture) {
  if (options.truth.empty()) return true;
  const auto written = WriteTruth(options.truth, capture.Truth());
  if (!written) std::cerr << "meshsim: " << written.error() << '\n';
  return written.has_value();
}

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::unique_ptr<MqttPublisher> ConnectToBroker(const Options& options) {
  if (options.mqtt.empty()) return nullptr;
  return std::make_unique<MqttPublisher>(MqttTarget{options.mqtt, FromEnvironment("MESHSIM_MQTT_USERNAME"),
                                                    FromEnvironment("MESHSIM_MQTT_PASSWORD")});
}

std::unique_ptr<Pace> ChoosePace(const Options& options, StopSignals& signals) {
  if (options.live) return std::make_unique<WallClockPace>(signals);
  if (options.speed) return std::make_unique<SpeedPace>(signals, options.start, *options.speed);
  return std::make_unique<InterruptiblePace>(signals);
}

int RunProgram(const Options& options) {
  StopSignals signals;
  Output output(options.out);
  if (output.error() != 0) {
    std::cerr << "meshsim: cannot open " << options.out << ": " << std::strerror(output.error()) << '\n';
    return 1;
  }
  Capture capture(options);
  if ((options.live || options.speed) && !SaveTruth(options, capture))
    return 1;  // what reads along needs it before the end

  const std::unique_ptr<MqttPublisher> publisher = ConnectToBroker(options);
  const std::unique_ptr<Pace> pace = ChoosePace(options, signals);
  const auto begin = std::chrono::steady_clock::now();
  capture.Run(*pace, [&](std::string_view line) {
    if (publisher) {
      const LineParts parts = PartsOf(line);
      publisher->Publish(parts.topic, parts.payload);
    }
    return output.Write(line, options.live || options.speed);
  });
  if (publisher) publisher->Finish();
  output.Finish();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  const bool saved = SaveTruth(options, capture);
  PrintReport(capture, options, output.bytes(), took.count());
  const bool reader_left = output.error() == EPIPE;
  if (output.error() != 0 && !reader_left) {
    std::cerr << "meshsim: cannot write " << options.out << ": " << std::strerror(output.error())
              << "; the capture is cut short\n";
    return 1;
  }
  return saved ? 0 : 1;
}

}  // namespace
}  // namespace heliograph::meshsim

int main(int argc, char** argv) {
  using namespace heliograph::meshsim;
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = ParseOptions({argv + 1, argv + argc}, heliograph::WallClockNow());
  if (!options) {
    (options.error().code == 0 ? std::cout : std::cerr) << options.error().text;
    return options.error().code;
  }
  try {
    return RunProgram(*options);
  } catch (const std::exception& error) {
    std::cerr << "meshsim: " << error.what() << '\n';
    return 1;
  }
}
