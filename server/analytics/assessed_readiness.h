#pragma once

#include <cstdint>
#include <string>

#include "common/switch_readiness.h"

namespace heliograph::server {

/// A readiness with what it was assessed from.
struct AssessedReadiness {
  std::string epoch;
  std::int64_t watermark = 0;
  std::int64_t head_seq = 0;
  SwitchReadiness readiness;
};

}  // namespace heliograph::server
