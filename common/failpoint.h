#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace heliograph {

/// The places where a test may kill a process or make it fail. Each names a moment between two durable steps.
/// Code passes through them with HELIOGRAPH_FAILPOINT(kName), which is nothing at all unless the build has
/// failpoints.
enum class Failpoint : std::uint8_t {
  // Publication, in the order of the protocol.
  kPublishBeforeTemporary,
  kPublishHalfWritten,
  kPublishBeforeFileSync,
  kPublishAfterFileSync,
  kPublishAfterRename,
  kPublishAfterFolderSync,
  // Start of the ingestor.
  kIngestorOpened,
  kMigrationMiddle,
  // Packets.
  kPacketsBeforeCommit,
  kPacketsAfterCommit,
  // Application of a queue file, in the order of the protocol.
  kApplyAfterRead,
  kApplyAfterBegin,
  kApplyAfterCommitRow,
  kApplyMiddleOfRows,
  kApplyAfterHeadMove,
  kApplyBeforeLedger,
  kApplyBeforeCommit,
  kApplyAfterCommit,
  kApplyDuplicateBeforeUnlink,
  kApplyAfterUnlink,
  kRefuseBeforeCommit,
  kRefuseAfterCommit,
  kRefuseAfterQuarantine,
  // Application of a cluster run, in the order of its steps.
  kClusterStaging,
  kClusterStaged,
  kClusterMatched,
  kClusterMiddleOfDecisions,
  kClusterBeforeFlip,
  kClusterAfterFlip,
  // Retention.
  kRetentionAfterFloor,
  kRetentionMiddleOfBatch,
  // Branches, pins and reverts.
  kBranchAfterInsert,
  kBranchAfterDeleteFlip,
  kBranchMergeRun,
  kBranchMergeMiddle,
  kPinAfterWrite,
  kRevertRun,
  kRevertMiddle,
};

/// The name that HELIOGRAPH_FAILPOINT_AT takes: kApplyAfterBegin is "apply_after_begin".
std::string_view Name(Failpoint point);
std::span<const Failpoint> AllFailpoints();

/// Acts when the environment asks for it: HELIOGRAPH_FAILPOINT_AT=name[:hit]:kill|error, several joined by a
/// comma. `hit` counts from 1 and is 1 when left out. `kill` ends the process with SIGKILL; `error` throws
/// std::system_error(EIO). When HELIOGRAPH_FAILPOINT_LOG names a file, each pass appends the point's name to
/// it. Thread-safe.
void PassFailpoint(Failpoint point);

}  // namespace heliograph

#ifdef HELIOGRAPH_FAILPOINTS
#define HELIOGRAPH_FAILPOINT(point) ::heliograph::PassFailpoint(::heliograph::Failpoint::point)
#else
#define HELIOGRAPH_FAILPOINT(point) static_cast<void>(0)
#endif
