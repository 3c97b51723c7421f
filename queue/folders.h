#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/volume.h"
#include "queue/posix_file.h"

namespace heliograph::queue {

/// The open folders of the queue. All calls go through these descriptors, so that a path that is swapped
/// under a running process changes nothing.
struct Folders {
  FileDescriptor queue;
  FileDescriptor temporary;
  FileDescriptor fresh;  ///< `new`
  FileDescriptor failed;
  Volume volume;

  /// For messages: the path of an entry of `new`.
  std::string NewPath(std::string_view name) const { return (volume.queue_new() / name).string(); }
  std::string TemporaryPath(std::string_view name) const {
    return (volume.queue_temporary() / name).string();
  }
  std::string FailedPath(std::string_view name) const { return (volume.queue_failed() / name).string(); }
};

/// Opens the folders, and makes those that are missing, durably, with mode 2770 (the group is shared by the
/// two processes). Folders that exist keep their mode. An error when one of `tmp`, `new` and `failed` is no
/// folder, cannot be made or opened, or lies on another mount than the others, for files are renamed across
/// them.
tl::expected<Folders, IoError> EnsureFolders(const Volume& volume);

}  // namespace heliograph::queue
