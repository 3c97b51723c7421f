#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/packet.h"
#include "tests/meshsim/capture.h"

namespace heliograph::meshsim {

/// A line of a capture that holds a packet, read back.
struct CapturedPacket {
  std::string observer;
  std::string received_at;
  Packet packet;
  nlohmann::json payload;
};

/// A small capture with its truth.
struct SmallCapture {
  std::vector<std::string> lines;
  nlohmann::ordered_json truth;

  /// The packets of the capture. Throws when a line is no JSON or its frame is no packet.
  std::vector<CapturedPacket> Packets() const;
};

/// The capture that these options give.
SmallCapture Generate(const Options& options);

/// 60 nodes in 2 regions, 3 000 messages.
Options SmallOptions();

/// The capture of SmallOptions, made once.
const SmallCapture& UsualCapture();

}  // namespace heliograph::meshsim
