#include "tests/unit/meshsim/small_capture.h"

#include <stdexcept>

namespace heliograph::meshsim {

std::vector<CapturedPacket> SmallCapture::Packets() const {
  std::vector<CapturedPacket> packets;
  for (const std::string& line : lines) {
    const auto message = nlohmann::json::parse(line);
    const auto topic = message.at("topic").get<std::string>();
    if (!topic.ends_with("/packets")) continue;
    const auto raw = FromHex(message.at("payload").at("raw").get<std::string>());
    if (!raw) throw std::runtime_error("no hex: " + line);
    auto packet = DecodeFrame(*raw);
    if (!packet) throw std::runtime_error(std::string(Describe(packet.error())) + ": " + line);
    packets.push_back({topic.substr(13, 64), message.at("received_at"), *packet, message.at("payload")});
  }
  return packets;
}

SmallCapture Generate(const Options& options) {
  SmallCapture out;
  Capture capture(options);
  SimulatedPace pace;
  capture.Run(pace, [&out](std::string_view line) {
    out.lines.emplace_back(line);
    return true;
  });
  out.truth = capture.Truth();
  return out;
}

Options SmallOptions() {
  Options options;
  options.seed = 7;
  options.nodes = 60;
  options.regions = 2;
  options.messages = 3000;
  options.observers = 12;
  options.legacy_share = 0.3;
  options.upgrades_per_day = 0.5;
  options.start = ParseTime("2026-01-01T00:00:00Z")->time;
  return options;
}

const SmallCapture& UsualCapture() {
  static const SmallCapture capture = Generate(SmallOptions());
  return capture;
}

}  // namespace heliograph::meshsim
