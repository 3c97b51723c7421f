#pragma once

#include <string>

#include "common/volume.h"
#include "queue/posix_file.h"

namespace heliograph::queue {

/// Tells when something may have been published. It can miss (on file systems without inotify, or when the
/// kernel's limit of watches is reached) and can fire for nothing, so it only ever shortens the wait for the
/// next List. Used by one thread.
class InboxWatch {
 public:
  /// Watches `new`. REQUIRED: the folder exists. Without inotify the watch exists, never fires, and says why.
  explicit InboxWatch(const Volume& volume);

  /// Readable, for poll(2), when something has come; -1, which poll ignores, when the watch cannot fire.
  int fd() const { return notifications_.get(); }

  /// Takes all notifications that wait, without blocking. True when there was any, also one that told of an
  /// overflow.
  bool Drain();

  /// Why the watch cannot fire; empty as long as it can.
  const std::string& degraded_because() const { return degraded_because_; }

 private:
  void Degrade(std::string reason);

  FileDescriptor notifications_;
  std::string degraded_because_;
};

}  // namespace heliograph::queue
