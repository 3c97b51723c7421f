#pragma once

#include <stdexcept>

#include "common/volume.h"

namespace heliograph::ingestor {

/// Another ingestor holds the volume.
class VolumeHeld : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The right to write the database: a lock on a file that the kernel frees when the holder ends, in whatever
/// way.
class VolumeLock {
 public:
  /// Makes the database's folder if need be and takes the lock. Throws VolumeHeld when another process has
  /// it, and std::system_error when the volume cannot be used.
  explicit VolumeLock(const Volume& volume);
  ~VolumeLock();
  VolumeLock(const VolumeLock&) = delete;
  VolumeLock& operator=(const VolumeLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace heliograph::ingestor
