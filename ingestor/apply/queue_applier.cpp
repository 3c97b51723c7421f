#include "ingestor/apply/queue_applier.h"

#include <sqlite3.h>
#include <algorithm>

#include <cerrno>

#include <spdlog/spdlog.h>

#include "common/failpoint.h"
#include "common/log.h"
#include "common/multibyte_snapshot.h"
#include "common/neighbor_snapshot.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

// The ledger forgets after 30 days; a file that is older than half of that can never be applied a second
// time.
constexpr std::chrono::hours kOldestFile{14 * 24};
// A clock that is set right may make a file look younger than it is, but not by more than this.
constexpr std::chrono::hours kBelievableLead{24};
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::milliseconds kLongestPause{30'000};
constexpr unsigned kAlarmingTries = 10;

/// True for a failure of the disk, of memory or of another process, after which the same file may well be
/// applied.
bool MayPass(const std::exception& error) {
  const auto* sqlite = dynamic_cast<const SQLite::Exception*>(&error);
  if (sqlite == nullptr) return dynamic_cast<const std::system_error*>(&error) != nullptr;
  switch (sqlite->getErrorCode()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
      return true;
    default:
      return false;
  }
}

/// Streams whose every file is the full state, so that only the newest matters.
bool IsFullState(queue::Kind kind) {
  return kind == queue::Kind::kMultibyteSnapshot || kind == queue::Kind::kNeighborSnapshot;
}

/// False for a file that would be rejected for its payload, and must not take the place of a good one.
bool MakesSense(const queue::QueueFile& file) {
  if (file.envelope.kind == queue::Kind::kMultibyteSnapshot)
    return DecodeMultibyteSnapshot(file.payload).has_value();
  if (file.envelope.kind == queue::Kind::kNeighborSnapshot)
    return DecodeNeighborSnapshot(file.payload).has_value();
  return true;
}

/// Kinds whose files rest on each other: while one waits, so do those behind it.
bool KeepsOrder(const queue::ListedFile& listed) {
  if (!listed.parsed) return false;
  const queue::Kind kind = listed.parsed->kind;
  return kind == queue::Kind::kClusterSnapshot || kind == queue::Kind::kClusterJob ||
         kind == queue::Kind::kOverride || kind == queue::Kind::kBranchRequest ||
         kind == queue::Kind::kRevert;
}

/// Streams whose files follow a watermark that must not go back.
bool FollowsWatermark(queue::Kind kind) {
  return IsFullState(kind) || kind == queue::Kind::kClusterSnapshot;
}

}  // namespace

QueueApplier::QueueApplier(MeshStore& store, queue::Inbox& inbox, Options options)
    : store_(store), inbox_(inbox), options_(std::move(options)) {}

QueueApplier::Report QueueApplier::Run() {
  Report report;
  const auto listing = inbox_.List();
  if (!listing) {
    spdlog::error("The queue cannot be read, and is tried again: {}", listing.error().text);
    return report;
  }
  report.more = listing->more;
  bool one_waits = false;  // of those that keep their order
  for (const queue::ListedFile& listed : listing->files) {
    if (options_.stopping()) return report;
    const auto retry = retries_.find(listed.name);
    const bool too_early =
        retry != retries_.end() && std::chrono::steady_clock::now() < retry->second.not_before;
    if (too_early || (one_waits && KeepsOrder(listed))) {
      one_waits = one_waits || KeepsOrder(listed);
      ++report.waiting;
      continue;
    }
    switch (Handle(listed, *listing)) {
      case Result::kGone:
        ++report.dealt_with;
        retries_.erase(listed.name);
        break;
      case Result::kFailed:
        ++report.dealt_with;
        ++report.failed;
        retries_.erase(listed.name);
        break;
      case Result::kWaiting:
        one_waits = one_waits || KeepsOrder(listed);
        ++report.waiting;
        break;
      case Result::kUnfinished:
        // What lies behind it may rest on it.
        report.unfinished = true;
        return report;
    }
  }
  ForgetVanished(*listing);
  return report;
}

void QueueApplier::ForgetVanished(const queue::Listing& listing) {
  if (listing.more) return;
  const auto has_vanished = [&](const std::string& name) {
    return std::none_of(listing.files.begin(), listing.files.end(),
                        [&](const queue::ListedFile& file) { return file.name == name; });
  };
  std::erase_if(retries_, [&](const auto& retry) { return has_vanished(retry.first); });
  // A file of which only pieces were brought would hold back retention for ever.
  if (staged_ && has_vanished(staged_->name())) {
    staged_.reset();
    // A book that was read in part may be out of date by the time when the rest is wanted.
    books_.Forget();
  }
  if (neighbors_ && has_vanished(neighbors_->name())) neighbors_.reset();
}

QueueApplier::Result QueueApplier::Handle(const queue::ListedFile& listed, const queue::Listing& listing) {
  // What is applied piece by piece was read and verified before its first piece.
  const bool is_staged = staged_ && staged_->name() == listed.name;
  const auto file = is_staged ? tl::expected<queue::QueueFile, queue::ReadError>(staged_->file())
                              : inbox_.Open(listed.name);
  try {
    HELIOGRAPH_FAILPOINT(kApplyAfterRead);
    if (file) return Apply(listed.name, *file, listing);
    if (file.error().refused()) return Refuse(listed.name, file.error());
    if (file.error().code == ENOENT) return Result::kGone;
    return Postpone(listed.name, file.error().text);
  } catch (const std::exception& error) {
    // What was undone in the database must not be remembered.
    books_.Forget();
    staged_.reset();
    neighbors_.reset();
    if (MayPass(error) || !file) return Postpone(listed.name, error.what());
    return RejectAfterFailure(listed.name, *file, error.what());
  }
}

QueueApplier::Result QueueApplier::RejectAfterFailure(const std::string& name, const queue::QueueFile& file,
                                                      const std::string& failure) {
  // It would fail in the same way for ever, and whoever published it would wait for ever.
  const Verdict verdict = Verdict::Of(Outcome::kRejected, "it breaks a rule of the database: " + failure);
  try {
    StoreTransaction transaction(store_);
    store_.ledger().Record(file.envelope.id.ToText(), file.envelope, verdict, WallClockNow(),
                           options_.boot_id);
    transaction.Commit();
  } catch (const std::exception& error) {
    return Postpone(name, error.what());
  }
  spdlog::error("Queue file {} is rejected: {}", Sanitised(name), Sanitised(verdict.reason));
  return Finish(name, verdict.outcome, verdict.reason);
}

QueueApplier::Result QueueApplier::Apply(const std::string& name, const queue::QueueFile& file,
                                         const queue::Listing& listing) {
  const std::string id = file.envelope.id.ToText();
  if (const auto known = store_.ledger().Find(id)) {
    // A crash came between the commit and the removal; or somebody delivered it again. Either way it is done.
    // The row of the audit is durable before the file goes, and with it the row of the ledger, whatever a
    // power cut took.
    StoreTransaction transaction(store_);
    Audit("cleaned_marker", id, file.envelope.actor, std::string(Name(*known)));
    transaction.Commit();
    HELIOGRAPH_FAILPOINT(kApplyDuplicateBeforeUnlink);
    return Finish(name, *known, store_.ledger().Reason(id));
  }
  const auto objection = Objection(file, name, listing);
  if (!objection && !Stage(name, file)) return Result::kUnfinished;
  Verdict verdict;
  {
    StoreTransaction transaction(store_);
    HELIOGRAPH_FAILPOINT(kApplyAfterBegin);
    verdict = objection ? *objection : CarryOut(file);
    HELIOGRAPH_FAILPOINT(kApplyBeforeLedger);
    store_.ledger().Record(id, file.envelope, verdict, WallClockNow(), options_.boot_id);
    if (recovering_) Audit("rolled_forward", id, file.envelope.actor, std::string(Name(verdict.outcome)));
    HELIOGRAPH_FAILPOINT(kApplyBeforeCommit);
    transaction.Commit();
  }
  HELIOGRAPH_FAILPOINT(kApplyAfterCommit);
  if (staged_ && staged_->name() == name) staged_.reset();
  neighbors_.reset();
  spdlog::info("Queue file {} ({}): {}, {}", id, queue::Name(file.envelope.kind), Name(verdict.outcome),
               Sanitised(verdict.reason));
  return Finish(name, verdict.outcome, verdict.reason);
}

bool QueueApplier::Stage(const std::string& name, const queue::QueueFile& file) {
  if (file.envelope.kind == queue::Kind::kNeighborSnapshot) {
    if (!neighbors_ || neighbors_->name() != name) neighbors_.emplace(name, file, store_);
    return neighbors_->Step(store_);
  }
  if (!MayBringRuns(file.envelope.kind)) return true;
  if (!staged_ || staged_->name() != name) staged_.emplace(name, file, store_);
  return staged_->Step(store_, books_);
}

std::optional<Verdict> QueueApplier::Objection(const queue::QueueFile& file, const std::string& name,
                                               const queue::Listing& listing) {
  const queue::Envelope& envelope = file.envelope;
  if (envelope.epoch != store_.epoch())
    return Verdict::Of(Outcome::kWrongEpoch, "computed from another database (epoch " + envelope.epoch + ")");
  if (envelope.watermark > store_.packets().watermark())
    return Verdict::Of(Outcome::kWrongEpoch,
                       "computed from observations that this database has not seen (watermark " +
                           std::to_string(envelope.watermark) + ")");
  if (envelope.created_at - WallClockNow() > kBelievableLead)
    return Verdict::Of(Outcome::kStale, "created in the future (" + FormatTime(envelope.created_at) + ")");
  if (WallClockNow() - envelope.created_at > kOldestFile)
    return Verdict::Of(Outcome::kStale,
                       "older than 14 days (created " + FormatTime(envelope.created_at) + ")");
  const BranchId branch{envelope.branch_id};
  try {
    store_.commits().Head(branch);
  } catch (const std::out_of_range& error) {
    return Verdict::Of(Outcome::kRejected, error.what());
  }
  if (envelope.base_commit_seq > static_cast<std::int64_t>(store_.commits().Newest()))
    return Verdict::Of(Outcome::kWrongEpoch, "based on a commit that this database has not seen");
  if (FollowsWatermark(envelope.kind)) {
    const std::int64_t newest = store_.ledger().NewestWatermark(branch, envelope.stream);
    // A file that could not be applied in its turn must not undo the one that came after it.
    if (envelope.producer_seq < store_.ledger().NewestProducerSeq(branch, envelope.stream))
      return Verdict::Of(Outcome::kStale, "a later file of the stream is applied already");
    if (envelope.watermark < newest)
      return Verdict::Of(Outcome::kStale,
                         "a state as of observation " + std::to_string(newest) + " is applied already");
  }
  if (IsFullState(envelope.kind) && IsSuperseded(file, name, listing))
    return Verdict::Of(Outcome::kSuperseded, "a newer state of the stream waits behind it");
  return std::nullopt;
}

Verdict QueueApplier::CarryOut(const queue::QueueFile& file) {
  const ApplyContext context{store_,
                             WallClockNow(),
                             options_.capability_age_out_days,
                             options_.prepare,
                             &books_,
                             staged_ ? &*staged_ : nullptr,
                             neighbors_ ? &*neighbors_ : nullptr};
  switch (file.envelope.kind) {
    case queue::Kind::kMultibyteSnapshot:
      return ApplyMultibyteSnapshot(context, file);
    case queue::Kind::kNeighborSnapshot:
      return ApplyNeighborSnapshot(context, file);
    case queue::Kind::kPacketInject:
      return ApplyPacketInject(context, file);
    case queue::Kind::kPruneRequest:
      return ApplyPruneRequest(context, file);
    case queue::Kind::kBranchRequest:
      return ApplyBranchRequest(context, file);
    case queue::Kind::kPin:
      return ApplyPin(context, file);
    case queue::Kind::kRevert:
      return ApplyRevert(context, file);
    case queue::Kind::kClusterSnapshot:
      return ApplyClusterSnapshot(context, file);
    case queue::Kind::kClusterJob:
      return ApplyClusterJob(context, file);
    case queue::Kind::kOverride:
      return ApplyOverride(context, file);
    case queue::Kind::kItemBatch:
      break;
  }
  return Verdict::Of(Outcome::kRejected, "this ingestor does not carry out files of kind " +
                                             std::string(queue::Name(file.envelope.kind)));
}

bool QueueApplier::IsSuperseded(const queue::QueueFile& file, const std::string& name,
                                const queue::Listing& listing) {
  const auto newest = static_cast<std::int64_t>(store_.commits().Newest());
  const auto self = std::find_if(listing.files.begin(), listing.files.end(),
                                 [&](const queue::ListedFile& other) { return other.name == name; });
  if (self == listing.files.end()) return false;
  return std::any_of(std::next(self), listing.files.end(), [&](const queue::ListedFile& other) {
    if (!other.parsed || other.parsed->kind != file.envelope.kind) return false;
    const auto later = inbox_.Open(other.name);
    return later && later->envelope.stream == file.envelope.stream &&
           later->envelope.epoch == file.envelope.epoch &&
           later->envelope.branch_id == file.envelope.branch_id &&
           later->envelope.watermark >= file.envelope.watermark &&
           later->envelope.watermark <= store_.packets().watermark() &&
           later->envelope.base_commit_seq <= newest && MakesSense(*later);
  });
}

QueueApplier::Result QueueApplier::Refuse(const std::string& name, const queue::ReadError& error) {
  spdlog::warn("Queue file {} is set aside: {}", Sanitised(name), Sanitised(error.text));
  if (!store_.ledger().Find(error.ledger_id)) {
    StoreTransaction transaction(store_);
    store_.ledger().RecordUnreadable(error.ledger_id, error.text, WallClockNow(), options_.boot_id);
    Audit("quarantined", error.ledger_id, "", error.text);
    HELIOGRAPH_FAILPOINT(kRefuseBeforeCommit);
    transaction.Commit();
  }
  HELIOGRAPH_FAILPOINT(kRefuseAfterCommit);
  return Finish(name, Outcome::kRejected, error.text);
}

QueueApplier::Result QueueApplier::Finish(const std::string& name, Outcome outcome,
                                          const std::string& reason) {
  if (outcome != Outcome::kRejected) {
    if (const auto removed = inbox_.Acknowledge(name); !removed && removed.error().code != ENOENT) {
      // The outcome stands; the file is met again, and the ledger knows it.
      spdlog::warn("Queue file {} is dealt with but could not be removed: {}", Sanitised(name),
                   removed.error().text);
      return Postpone(name, removed.error().text);
    }
    HELIOGRAPH_FAILPOINT(kApplyAfterUnlink);
    return Result::kGone;
  }
  const auto report = inbox_.Quarantine(name, reason);
  for (const auto& problem : report.problems)
    spdlog::warn("Setting {} aside met a problem: {}", Sanitised(name), problem.text);
  HELIOGRAPH_FAILPOINT(kRefuseAfterQuarantine);
  if (report.fate == queue::QuarantineReport::Fate::kLeft)
    return Postpone(name, "it could not be moved to failed/");
  return Result::kFailed;
}

QueueApplier::Result QueueApplier::Postpone(const std::string& name, const std::string& why) {
  Retry& retry = retries_[name];
  const unsigned doublings = std::min(retry.tries, 8U);
  const std::chrono::milliseconds pause = std::min(kLongestPause, kFirstPause * (1 << doublings));
  retry.not_before = std::chrono::steady_clock::now() + pause;
  ++retry.tries;
  if (retry.tries == 1 || retry.tries % kAlarmingTries == 0)
    spdlog::error("Queue file {} cannot be dealt with now (try {}), and stays where it is: {}",
                  Sanitised(name), retry.tries, Sanitised(why));
  return Result::kWaiting;
}

void QueueApplier::Audit(const char* action, const std::string& ledger_id, const std::string& actor,
                         const std::string& detail) {
  SQLite::Statement insert(
      store_.database(),
      "INSERT INTO recovery_audit(boot_id, at, action, ledger_id, commit_seq, for_actor, detail)"
      " VALUES (?1,?2,?3,?4,(SELECT commit_seq FROM ledger WHERE id=?4),?5,?6)");
  const std::string action_text = action;
  RowBinder(insert)
      .Text(options_.boot_id)
      .Time(WallClockNow())
      .Text(action_text)
      .Text(ledger_id)
      .Text(actor)
      .Text(detail)
      .Run();
}

}  // namespace heliograph::ingestor
