#include "server/routes/process_memory.h"

#include <unistd.h>

#include <fstream>

namespace heliograph::server {

std::optional<std::int64_t> ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t all_pages = 0, resident_pages = 0;
  if (!(statm >> all_pages >> resident_pages)) return std::nullopt;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

}  // namespace heliograph::server
