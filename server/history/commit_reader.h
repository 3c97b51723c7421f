#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "server/history/as_of.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// One row of `commit_log`, with names in the place of numbers.
struct Commit {
  std::int64_t seq = 0;
  std::string id;
  std::int64_t branch_id = 1;
  std::string branch;
  std::optional<std::int64_t> parent_seq, merged_parent_seq;
  std::optional<std::string> parent_id, merged_parent_id;
  std::string kind;
  std::optional<std::string> stream;
  std::string actor;
  UtcMillis authored_at{}, committed_at{};
  std::optional<std::string> request_id;  ///< of the queue file that it came of
  std::optional<std::int64_t> watermark;
  std::optional<std::string> digest;
  std::int64_t inserted = 0, updated = 0, removed = 0;
};

/// Which commits are wanted. Members that are nothing filter nothing.
struct CommitFilter {
  std::optional<std::string> kind, stream, actor;
};

/// All functions read in the caller's transaction; SQLite::Exception passes through.

/// The branch's own commits below `before` (all without it), newest first, at most `limit`.
std::vector<Commit> CommitsOf(ReaderConnection& reader, const BranchLine& line, const CommitFilter& filter,
                              std::optional<std::int64_t> before, std::size_t limit);
std::int64_t CountCommits(ReaderConnection& reader, const BranchLine& line, const CommitFilter& filter);

/// The commit with this id, or `seq:<n>`, of any branch, deleted ones too; nothing when there is none.
std::optional<Commit> FindCommit(ReaderConnection& reader, const std::string& id);

/// The line that the commit belongs to, whether its branch is live or not.
BranchLine LineOf(ReaderConnection& reader, const Commit& commit);

}  // namespace heliograph::server
