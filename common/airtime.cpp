#include "common/airtime.h"

#include <array>
#include <charconv>
#include <cmath>

#include "common/packet.h"
#include "common/text.h"

namespace heliograph {
namespace {

constexpr double kLowDataRateSymbolMs = 16.0;
constexpr double kSyncSymbols = 4.25;
constexpr double kHeaderSymbols = 8.0;

bool IsPossible(const RadioSettings& radio) {
  return radio.spreading_factor >= 6 && radio.spreading_factor <= 12 && radio.coding_rate >= 5 &&
         radio.coding_rate <= 8 && std::isfinite(radio.bandwidth_khz) && radio.bandwidth_khz > 0;
}

template <typename Number>
bool Parse(std::string_view text, Number& value) {
  const std::string_view trimmed = TrimSpace(text);
  const char* end = trimmed.data() + trimmed.size();
  const auto [stop, error] = std::from_chars(trimmed.data(), end, value);
  return error == std::errc() && stop == end;
}

}  // namespace

std::optional<RadioSettings> ParseRadioSettings(std::string_view text) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t comma = text.find(',');
    const bool is_last = i + 1 == fields.size();
    if ((comma == std::string_view::npos) != is_last) return std::nullopt;
    fields[i] = text.substr(0, comma);
    if (!is_last) text.remove_prefix(comma + 1);
  }
  RadioSettings radio;
  if (!Parse(fields[0], radio.frequency_mhz) || !Parse(fields[1], radio.bandwidth_khz) ||
      !Parse(fields[2], radio.spreading_factor) || !Parse(fields[3], radio.coding_rate)) {
    return std::nullopt;
  }
  const bool has_frequency = std::isfinite(radio.frequency_mhz) && radio.frequency_mhz > 0;
  if (!has_frequency || !IsPossible(radio)) return std::nullopt;
  return radio;
}

std::optional<std::chrono::duration<double, std::milli>> Airtime(const RadioSettings& radio,
                                                                 std::size_t frame_bytes) {
  if (!IsPossible(radio) || frame_bytes == 0 || frame_bytes > Packet::kMaxFrame) return std::nullopt;
  const double symbol_ms = std::exp2(radio.spreading_factor) / radio.bandwidth_khz;
  const int low_data_rate = symbol_ms >= kLowDataRateSymbolMs ? 1 : 0;
  const double preamble_symbols = radio.spreading_factor <= 8 ? 32.0 : 16.0;
  const double payload_bits = 8.0 * static_cast<double>(frame_bytes) - 4.0 * radio.spreading_factor + 44.0;
  double payload_symbols = kHeaderSymbols;
  if (payload_bits > 0) {
    const double bits_per_group = 4.0 * (radio.spreading_factor - 2 * low_data_rate);
    payload_symbols += std::ceil(payload_bits / bits_per_group) * radio.coding_rate;
  }
  const double symbols = preamble_symbols + kSyncSymbols + payload_symbols;
  return std::chrono::duration<double, std::milli>(symbols * symbol_ms);
}

}  // namespace heliograph
