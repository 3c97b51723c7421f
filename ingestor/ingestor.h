#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/config.h"
#include "common/volume.h"
#include "ingestor/apply/queue_applier.h"
#include "ingestor/maintenance/retention.h"
#include "ingestor/maintenance/ticker.h"
#include "ingestor/preparer.h"
#include "ingestor/receipt.h"
#include "ingestor/reindex.h"
#include "ingestor/store/mesh_store.h"
#include "ingestor/volume_lock.h"
#include "queue/inbox.h"
#include "queue/watch.h"

namespace heliograph::ingestor {

/// The ingestor on one volume: holds the lock, the one read-write handle, and everything that writes through
/// it. Making it creates what is missing of the volume, migrates the database, and deals with what an earlier
/// process left in the queue, all before the first new packet. Used by one thread, but for RequestStop.
class Ingestor {
 public:
  /// Throws VolumeHeld, dbschema::ForeignDatabase, dbschema::MigrationFailed, std::system_error and
  /// SQLite::Exception; the message of each is for a person. `mqtt_sources` are the first of those that
  /// packets will come from, in order.
  Ingestor(const Volume& volume, const Config& config, const std::vector<MqttSourceConfig>& mqtt_sources);

  /// Stores what `sources` deliver until RequestStop, or, with `until_end`, until all of them are at their
  /// end. Everything that was taken from a source is committed when it returns true; false when that took
  /// longer than `drain_limit` from the request to stop, and the log says how much was left.
  bool Run(const std::vector<std::unique_ptr<Source>>& sources, bool until_end,
           std::chrono::seconds drain_limit);

  /// The random id of this volume, made with its first ingestor. A restored backup is another volume.
  std::string InstallationId() const;

  /// One pass over the queue and one round of every maintenance task.
  void ApplyOnce();

  /// Derives everything again from the stored packets (see ingestor/reindex.h).
  ReindexReport DeriveAgain(const ReindexProgress& progress = {});

  /// Makes Run return soon. Thread-safe, and safe in a signal handler.
  void RequestStop() { stop_requested_ = true; }

  MeshStore& store() { return *store_; }

 private:
  std::vector<MaintenanceTask> Tasks();
  void RecoverQueue();

  Volume volume_;
  Config config_;
  std::string boot_id_;
  UtcMillis started_at_;
  VolumeLock lock_;
  std::unique_ptr<MeshStore> store_;
  std::unique_ptr<queue::Inbox> inbox_;
  std::unique_ptr<queue::InboxWatch> watch_;
  std::unique_ptr<Preparer> preparer_;
  std::unique_ptr<QueueApplier> applier_;
  std::unique_ptr<MaintenanceTicker> ticker_;
  std::atomic<bool> stop_requested_ = false;
};

}  // namespace heliograph::ingestor
