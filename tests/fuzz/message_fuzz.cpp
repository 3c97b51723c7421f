#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "common/packet.h"
#include "common/text.h"
#include "ingestor/preparer.h"

// The input is a topic, a line end and a payload. Whatever it is, it becomes a packet that encodes to its own
// frame, a status or a drop whose texts can be printed.

namespace {

using namespace heliograph;
using namespace heliograph::ingestor;

void Require(bool condition) {
  if (!condition) std::abort();
}

Preparer& ThePreparer() {
  static Preparer preparer([] {
    Config config;
    config.hash_regions = {"#test"};
    config.hash_channels = {"#test", "#belgium"};
    MqttSourceConfig source;
    source.region = "SFO";
    auto settings = Preparer::SettingsOf(config, {source});
    // A signature that a mutation keeps valid can't be found; the rest behind it shall be reached.
    settings->verify = [](const Advert& advert) { return (advert.signature[0] & 1) == 0; };
    return std::move(*settings);
  }());
  return preparer;
}

void Check(const PreparedPacket& packet) {
  const auto again = DecodeFrame(EncodeFrame(packet.packet));
  Require(again.has_value() && *again == packet.packet);
  Require(packet.hash == packet.packet.Hash());
  Require(packet.direction != Direction::kSent || (!packet.snr_quarter_db && !packet.rssi_dbm));
  Require(packet.advert.has_value() == (packet.packet.payload_type == PayloadType::kAdvert));
}

void Check(const PreparedStatus& status) {
  for (const auto* text : {&status.observer.name, &status.model, &status.firmware, &status.radio}) {
    Require(!*text || (IsValidUtf8(**text) && !(*text)->empty()));
  }
  Require(!status.battery_mv || *status.battery_mv >= 0);
}

void Check(const PreparedDrop& drop) {
  Require(!drop.detail.empty() && IsValidUtf8(drop.detail));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  Receipt receipt;
  receipt.received_at = UtcMillis(std::chrono::milliseconds(1779033699000));
  receipt.topic = std::string(input.substr(0, line));
  if (line != std::string_view::npos) receipt.payload = std::string(input.substr(line + 1));
  std::visit([](const auto& prepared) { Check(prepared); }, ThePreparer().Prepare(receipt));
  return 0;
}
