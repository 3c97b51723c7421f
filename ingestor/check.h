#pragma once

#include <string>
#include <vector>

#include "common/volume.h"

namespace heliograph::ingestor {

/// What a check found: a line for each thing that is wrong, and notes about what is not.
struct CheckReport {
  std::vector<std::string> faults;
  std::vector<std::string> notes;
  bool foreign = false;  ///< the database belongs to another program or a newer version

  bool well() const { return faults.empty(); }
};

/// Looks at the database's pages, foreign keys, schema and rules, and at the queue. Reads only and needs no
/// lock, so that it may run beside a working ingestor. Never throws.
CheckReport Check(const Volume& volume);

}  // namespace heliograph::ingestor
