#include "queue/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace heliograph::queue {

InboxWatch::InboxWatch(const Volume& volume) : notifications_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  const std::string path = volume.queue_new().string();
  if (!notifications_.valid()) {
    Degrade(LastError("watch", path).text);
  } else if (::inotify_add_watch(notifications_.get(), path.c_str(), IN_MOVED_TO | IN_CREATE | IN_ONLYDIR) <
             0) {
    Degrade(LastError("watch", path).text);
  }
}

void InboxWatch::Degrade(std::string reason) {
  degraded_because_ = std::move(reason);
  notifications_.Close();
}

bool InboxWatch::Drain() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  bool fired = false;
  while (notifications_.valid()) {
    const ssize_t got = ::read(notifications_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      Degrade(LastError("read the notifications of", "queue/new").text);
      break;
    }
    fired = true;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & IN_IGNORED) != 0) Degrade("the watched folder queue/new was removed or unmounted");
    }
  }
  return fired;
}

}  // namespace heliograph::queue
