#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "ingestor/apply/applier.h"
#include "ingestor/apply/neighbor_staging.h"
#include "ingestor/apply/staged_file.h"
#include "queue/inbox.h"

namespace heliograph::ingestor {

/// Carries out what the server hands over: each file once, in order, in the transaction that records it,
/// durable before the file goes. A file that cannot be read is set aside and stops nothing. Used by the
/// writer's thread.
class QueueApplier {
 public:
  struct Options {
    std::optional<int> capability_age_out_days;
    std::string boot_id;
    std::function<Prepared(const Receipt&)> prepare;
    std::function<bool()> stopping = [] { return false; };  ///< asked between two files
  };

  /// REQUIRED: `store` and `inbox` outlive the applier.
  QueueApplier(MeshStore& store, queue::Inbox& inbox, Options options);

  struct Report {
    std::size_t dealt_with = 0;  ///< files that are gone from `new`
    std::size_t failed = 0;      ///< of these, set aside in `failed`
    std::size_t waiting = 0;     ///< could not be dealt with for now; they are tried again later
    bool more = false;           ///< `new` held more than one pass looks at
    bool unfinished = false;     ///< a file is applied piece by piece, and the next piece can be done at once
  };

  /// One pass over `new`, or until the options say that the process is stopping. REQUIRED: no transaction is
  /// open. Errors of the disk leave the file where it is, to be tried again with growing pauses; one that can
  /// only fail again is rejected. Both are logged, nothing is thrown.
  Report Run();

  /// True while a cluster run is applied piece by piece.
  bool IsStaging() const { return staged_.has_value(); }

  /// While this holds, Run notes in the recovery audit that it goes on with what an earlier process left.
  void SetRecovering(bool recovering) { recovering_ = recovering; }

 private:
  enum class Result { kGone, kFailed, kWaiting, kUnfinished };
  struct Retry {
    unsigned tries = 0;
    std::chrono::steady_clock::time_point not_before;
  };

  Result Handle(const queue::ListedFile& listed, const queue::Listing& listing);
  Result RejectAfterFailure(const std::string& name, const queue::QueueFile& file,
                            const std::string& failure);
  void ForgetVanished(const queue::Listing& listing);
  Result Refuse(const std::string& name, const queue::ReadError& error);
  Result Apply(const std::string& name, const queue::QueueFile& file, const queue::Listing& listing);
  /// What speaks against a file whatever its payload says; nothing: it is to be carried out.
  std::optional<Verdict> Objection(const queue::QueueFile& file, const std::string& name,
                                   const queue::Listing& listing);
  Verdict CarryOut(const queue::QueueFile& file);
  /// One piece of what the file brings, when it is brought in pieces. True when the file can be carried out,
  /// or refused.
  bool Stage(const std::string& name, const queue::QueueFile& file);
  bool IsSuperseded(const queue::QueueFile& file, const std::string& name, const queue::Listing& listing);
  Result Finish(const std::string& name, Outcome outcome, const std::string& reason);
  Result Postpone(const std::string& name, const std::string& why);
  void Audit(const char* action, const std::string& ledger_id, const std::string& actor,
             const std::string& detail);

  MeshStore& store_;
  queue::Inbox& inbox_;
  Options options_;
  std::map<std::string, Retry> retries_;
  ClusterBooks books_;
  std::optional<StagedFile> staged_;
  std::optional<NeighborStaging> neighbors_;
  bool recovering_ = false;
};

}  // namespace heliograph::ingestor
