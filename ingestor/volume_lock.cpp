#include "ingestor/volume_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace heliograph::ingestor {

VolumeLock::VolumeLock(const Volume& volume) {
  std::filesystem::create_directories(volume.database_folder());
  const std::string path = volume.ingestor_lock().string();
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (descriptor_ < 0)
    throw std::system_error(errno, std::generic_category(), "cannot open the lock file " + path);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  if (error == EWOULDBLOCK)
    throw VolumeHeld("Another ingestor holds the volume " + volume.root().string() + " (lock " + path +
                     "). Stop it first; only one may write.");
  throw std::system_error(error, std::generic_category(), "cannot lock " + path);
}

VolumeLock::~VolumeLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace heliograph::ingestor
