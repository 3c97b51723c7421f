#pragma once

#include <filesystem>
#include <utility>

namespace heliograph {

/// The names on the volume that the two processes share. Holds paths and touches nothing.
class Volume {
 public:
  explicit Volume(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }

  /// Written by the ingestor alone; may be mounted read-only for the server.
  std::filesystem::path database_folder() const { return root_ / "db"; }
  std::filesystem::path database() const { return database_folder() / "heliograph.db"; }
  std::filesystem::path ingestor_lock() const { return database_folder() / "ingestor.lock"; }

  /// Written by the server, emptied by the ingestor. One mount, for files are renamed across its folders.
  std::filesystem::path queue() const { return root_ / "queue"; }
  std::filesystem::path queue_temporary() const { return queue() / "tmp"; }
  std::filesystem::path queue_new() const { return queue() / "new"; }
  std::filesystem::path queue_failed() const { return queue() / "failed"; }
  std::filesystem::path server_lock() const { return queue() / "server.lock"; }

 private:
  std::filesystem::path root_;
};

}  // namespace heliograph
