#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace heliograph {

/// How a LoRa radio is set.
struct RadioSettings {
  double frequency_mhz = 0;  ///< has no influence on the airtime
  double bandwidth_khz = 0;
  int spreading_factor = 0;  ///< 6..12
  int coding_rate = 0;       ///< the denominator of 4/5 to 4/8: 5..8

  bool operator==(const RadioSettings&) const = default;
};

/// Reads what observers publish as `radio`: frequency in MHz, bandwidth in kHz, spreading factor and coding
/// rate, as in "910.525,62.5,7,5". Nothing when the text has another form or a value that no radio has.
std::optional<RadioSettings> ParseRadioSettings(std::string_view text);

/// How long a frame of `frame_bytes` bytes occupies the channel, with the preamble that MeshCore uses, an
/// explicit header and a CRC. Nothing for settings that no radio has and for frames of 0 or more than 255
/// bytes. Source: Semtech AN1200.13; MeshCore firmware, RadioLibWrappers.h for the preamble.
std::optional<std::chrono::duration<double, std::milli>> Airtime(const RadioSettings& radio,
                                                                 std::size_t frame_bytes);

}  // namespace heliograph
