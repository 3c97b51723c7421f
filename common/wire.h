#pragma once

#include <cstddef>
#include <cstdint>

#include "common/bytes.h"

namespace heliograph {

/// Integers as MeshCore writes them on the air: little-endian, unaligned.

/// REQUIRED: bytes.size() >= 2.
inline std::uint16_t ReadUint16(ByteView bytes) {
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

/// REQUIRED: bytes.size() >= 4.
inline std::uint32_t ReadUint32(ByteView bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

inline void AppendUint16(Bytes& bytes, std::uint16_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value & 0xFF));
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
}

inline void AppendUint32(Bytes& bytes, std::uint32_t value) {
  AppendUint16(bytes, static_cast<std::uint16_t>(value & 0xFFFF));
  AppendUint16(bytes, static_cast<std::uint16_t>(value >> 16));
}

inline void AppendBytes(Bytes& bytes, ByteView more) {
  bytes.reserve(bytes.size() + more.size());
  for (std::uint8_t byte : more) bytes.push_back(byte);  // g++ 12 finds false faults in insert at -O3
}

}  // namespace heliograph
