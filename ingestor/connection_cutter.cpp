#include "ingestor/connection_cutter.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <optional>

namespace heliograph::ingestor {
namespace {

std::optional<std::uint16_t> RemotePort(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return std::nullopt;
}

}  // namespace

std::size_t CutConnectionsTo(std::uint16_t port) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  std::size_t cut = 0;
  while (folder != nullptr) {
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr) break;
    const int descriptor = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || RemotePort(descriptor) != port) continue;
    if (shutdown(descriptor, SHUT_RDWR) == 0) ++cut;
  }
  return cut;
}

}  // namespace heliograph::ingestor
