#pragma once

#include <cstddef>
#include <functional>
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

/// Called with the steps that are done and all of them. The first, which reads every page, takes longest.
using CheckProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Looks at the database's pages, foreign keys, schema and rules, and at the queue. Reads only and needs no
/// lock, so that it may run beside a working ingestor. Never throws.
CheckReport Check(const Volume& volume, const CheckProgress& progress = {});

}  // namespace heliograph::ingestor
