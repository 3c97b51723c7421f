#include "ingestor/store/pin_store.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

std::optional<PinStore::Pin> PinStore::Find(const std::string& name) {
  SQLite::Statement row(database_, "SELECT commit_seq, expires_at FROM pin WHERE name=?");
  if (!RowBinder(row).Text(name).Step()) return std::nullopt;
  return Pin{CommitSeq{row.getColumn(0).getInt64()}, OptionalTime(row.getColumn(1))};
}

void PinStore::Set(const std::string& name, const Pin& pin, const std::string& actor, UtcMillis now) {
  SQLite::Statement set(
      database_,
      "INSERT INTO pin(name, commit_seq, actor, created_at, expires_at) VALUES (?,?,?,?,?)"
      " ON CONFLICT(name) DO UPDATE SET commit_seq=excluded.commit_seq, actor=excluded.actor,"
      " created_at=excluded.created_at, expires_at=excluded.expires_at");
  RowBinder(set)
      .Text(name)
      .Integer(static_cast<std::int64_t>(pin.commit))
      .Text(actor)
      .Time(now)
      .Time(pin.expires_at)
      .Run();
}

bool PinStore::Remove(const std::string& name) {
  SQLite::Statement remove(database_, "DELETE FROM pin WHERE name=?");
  return RowBinder(remove).Text(name).Run() > 0;
}

}  // namespace heliograph::ingestor
