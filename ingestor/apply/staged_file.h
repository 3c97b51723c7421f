#pragma once

#include <string>
#include <vector>

#include "ingestor/apply/cluster_staging.h"
#include "queue/queue_file.h"

namespace heliograph::ingestor {

/// True for kinds of files that may bring cluster runs.
bool MayBringRuns(queue::Kind kind);

/// A queue file and the cluster runs that it would bring, as things stand: the run of a cluster-snapshot, and
/// of a merge or a revert copies of runs that are stored. They are brought into the database before the
/// transaction that carries the file out, so that this one is short. What a process that died left there is
/// swept first. Used by the writer's thread.
class StagedFile {
 public:
  /// REQUIRED: the file is genuine, new, and of this database, and MayBringRuns of its kind.
  StagedFile(std::string name, const queue::QueueFile& file, MeshStore& store);

  const std::string& name() const { return name_; }
  /// The file, so that it need not be read again for each piece; of a cluster-snapshot without its payload.
  const queue::QueueFile& file() const { return file_; }

  /// Does one more piece, in a transaction of its own of at most some 50 ms. Returns true when there was none
  /// left: the file can be carried out. REQUIRED: no transaction is open.
  bool Step(MeshStore& store, ClusterBooks& books);

  // REQUIRED: Step returned true.
  std::vector<ClusterStaging>& runs() { return runs_; }

 private:
  std::string name_;
  queue::QueueFile file_;
  std::vector<ClusterStaging> runs_;
  bool swept_ = false;
};

/// The applied runs of which a branch-request or a revert would bring a copy to main, as things stand; none
/// when it will be refused.
std::vector<RunKey> RunsOfMerge(MeshStore& store, const queue::QueueFile& file);
std::vector<RunKey> RunsOfRevert(MeshStore& store, const queue::QueueFile& file);

}  // namespace heliograph::ingestor
