#include "ingestor/store/branch_store.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

std::optional<Branch> ReadBranch(SQLite::Statement& row) {
  if (!row.executeStep()) return std::nullopt;
  return Branch{BranchId{row.getColumn(0).getInt64()}, row.getColumn(1).getString(),
                CommitSeq{row.getColumn(2).getInt64()}, CommitSeq{row.getColumn(3).getInt64()}};
}

}  // namespace

std::optional<Branch> BranchStore::Find(const std::string& name) {
  SQLite::Statement row(database_,
                        "SELECT branch_id, name, base_seq, head_seq FROM branch"
                        " WHERE name=? AND state='live' AND branch_id<>1");
  RowBinder(row).Text(name);
  return ReadBranch(row);
}

std::optional<Branch> BranchStore::Find(BranchId id) {
  SQLite::Statement row(database_,
                        "SELECT branch_id, name, base_seq, head_seq FROM branch"
                        " WHERE branch_id=? AND state='live' AND branch_id<>1");
  RowBinder(row).Integer(static_cast<std::int64_t>(id));
  return ReadBranch(row);
}

BranchId BranchStore::Create(const std::string& name, CommitSeq base, const std::string& actor,
                             UtcMillis now) {
  SQLite::Statement insert(
      database_, "INSERT INTO branch(name, base_seq, head_seq, actor, created_at) VALUES (?1,?2,?2,?3,?4)");
  RowBinder(insert).Text(name).Integer(static_cast<std::int64_t>(base)).Text(actor).Time(now).Run();
  return BranchId{database_.getLastInsertRowid()};
}

void BranchStore::Delete(BranchId id, UtcMillis now) {
  SQLite::Statement flip(database_, "UPDATE branch SET state='deleted', deleted_at=? WHERE branch_id=?");
  RowBinder(flip).Time(now).Integer(static_cast<std::int64_t>(id)).Run();
}

CommonAncestor BranchStore::AncestorOf(const Branch& branch) {
  SQLite::Statement row(
      database_,
      "SELECT m.commit_seq, p.commit_seq FROM commit_log AS m JOIN commit_log AS p ON p.commit_seq="
      "m.merged_parent_seq WHERE m.branch_id=1 AND p.branch_id=? ORDER BY m.commit_seq DESC LIMIT 1");
  if (!RowBinder(row).Integer(static_cast<std::int64_t>(branch.id)).Step()) return {branch.base, branch.base};
  return {CommitSeq{row.getColumn(0).getInt64()}, CommitSeq{row.getColumn(1).getInt64()}};
}

}  // namespace heliograph::ingestor
