#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/time.h"
#include "server/history/branch_line.h"
#include "server/http/request.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The commit that a question is asked as of.
struct CommitMoment {
  std::int64_t seq = 0;
  std::string commit_id;
  UtcMillis committed_at{};
  std::optional<std::int64_t> watermark;  ///< of the newest snapshot that it had; nothing before the first
};

/// All functions read in the caller's transaction; SQLite::Exception passes through.

/// The live branch of that name. Throws ProblemError(404) when there is none.
BranchLine BranchNamed(ReaderConnection& reader, const std::string& name);
/// The branch of that number, or nothing when it is not live.
std::optional<BranchLine> LiveBranch(ReaderConnection& reader, std::int64_t branch_id);
/// The branch that the parameter `branch` names; main without one. Throws as BranchNamed.
BranchLine BranchParameter(ReaderConnection& reader, const Request& request);

/// Reads `as_of` on a line of history: a commit's id, `seq:<n>`, `pin:<name>`, or a time for the newest
/// commit not after it. A time is of RFC 3339, with or without `time:` before it; `time:<microseconds since
/// 1970>us` tells commits of one millisecond apart. Throws ProblemError: 400 for another form, 404 when there
/// is no such commit or pin, 409 when the commit is not on the line, and 410 with the members `code`
/// ("history_reclaimed"), `floor_seq`, `floor_commit` and `floor_time` when its history is no longer kept.
CommitMoment ResolveAsOf(ReaderConnection& reader, const std::string& as_of, const BranchLine& line);
/// The same on main.
CommitMoment ResolveAsOf(ReaderConnection& reader, const std::string& as_of);

/// The commit that the request asks about: `as_of` on the line, or the line's head without it.
CommitMoment MomentParameter(ReaderConnection& reader, const Request& request, const BranchLine& line);

/// The text of the parameter `as_of`; nothing when the request asks about the head.
std::optional<std::string> AsOfText(const Request& request);
/// True when the request asks about another branch than main.
bool NamesBranch(const Request& request);

/// The oldest commit whose state can still be asked for.
std::int64_t HistoryFloor(ReaderConnection& reader);

}  // namespace heliograph::server
