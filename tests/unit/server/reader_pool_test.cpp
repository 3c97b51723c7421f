#include "server/state/reader_pool.h"

#include <sys/stat.h>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <future>
#include <thread>

#include "server/state/readiness_gate.h"
#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

constexpr const char* kEndless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

std::int64_t CountNodes(ReaderConnection& connection) {
  SQLite::Statement& row = connection.Prepared("SELECT count(*) FROM nodes");
  row.executeStep();
  return row.getColumn(0).getInt64();
}

TEST(ReaderPool, ReadsWhatIsCommitted) {
  Observatory observatory;
  ReaderPool pool(observatory.file());
  EXPECT_EQ(pool.Read(CountNodes), 0);
  observatory.AddNode(KeyOf({1}));
  EXPECT_EQ(pool.Read(CountNodes), 1);
  EXPECT_EQ(pool.statistics().open, 1U);
}

TEST(ReaderPool, CannotWrite) {
  Observatory observatory;
  ReaderPool pool(observatory.file());
  const auto write = [](ReaderConnection& connection) {
    connection.database().exec("INSERT INTO meta VALUES ('a', 'b')");
  };
  EXPECT_ANY_THROW(pool.Read(write));
  EXPECT_EQ(observatory.Ask("SELECT count(*) FROM meta WHERE key = 'a'"), 0);
}

TEST(ReaderPool, AFileThatIsNotThereIsUnavailableAndIsFoundLater) {
  testing::TemporaryFolder folder;
  ReaderPool pool(folder / "none.db", {.retry_for = std::chrono::milliseconds(20)});
  EXPECT_THROW(pool.Read(CountNodes), DatabaseUnavailable);
  EXPECT_GT(pool.statistics().retries, 0U);
  SQLite::Database made = dbschema::OpenForWriting(folder / "none.db");
  dbschema::Migrate(made);
  EXPECT_EQ(pool.Read(CountNodes), 0);
}

TEST(ReaderPool, AnswersOnceATransientErrorIsOver) {
  Observatory observatory;
  ReaderPool pool(observatory.file());
  int attempts = 0;
  const int result = pool.Read([&](ReaderConnection&) {
    if (++attempts < 3) throw SQLite::Exception("busy", SQLITE_BUSY);
    return 7;
  });
  EXPECT_EQ(result, 7);
  EXPECT_EQ(pool.statistics().retries, 2U);
}

TEST(ReaderPool, EndsAQuestionThatTakesTooLong) {
  Observatory observatory;
  ReaderPool pool(observatory.file(), {.query_limit = std::chrono::milliseconds(50)});
  const auto endless = [](ReaderConnection& connection) { connection.Prepared(kEndless).executeStep(); };
  EXPECT_THROW(pool.Read(endless), QueryDeadline);
  EXPECT_EQ(pool.Read(CountNodes), 0);
}

TEST(ReaderPool, HasNoMoreReadersThanItMay) {
  Observatory observatory;
  ReaderPool pool(observatory.file(), {.size = 1, .wait_limit = std::chrono::milliseconds(20)});
  pool.Read([&](ReaderConnection&) { EXPECT_THROW(pool.Read(CountNodes), DatabaseUnavailable); });
  EXPECT_EQ(pool.Read(CountNodes), 0);
}

TEST(ReaderPool, HoldsNoTransactionWhenABodyThrows) {
  Observatory observatory;
  ReaderPool pool(observatory.file(), {.size = 1});
  EXPECT_THROW(pool.Read([](ReaderConnection& c) -> int {
    c.Prepared("SELECT * FROM meta").executeStep();
    throw std::logic_error("stop");
  }),
               std::logic_error);
  observatory.AddNode(KeyOf({1}));
  EXPECT_EQ(pool.Read(CountNodes), 1);
}

TEST(ReaderPool, ReadsTheNewFileOnceItIsInvalidated) {
  Observatory observatory;
  observatory.AddNode(KeyOf({1}));
  ReaderPool pool(observatory.file());
  EXPECT_EQ(pool.Read(CountNodes), 1);
  observatory.Replace();
  pool.Invalidate();
  EXPECT_EQ(pool.Read(CountNodes), 0);
}

TEST(ReadinessGate, NamesWhatIsMissingAndLooksAgain) {
  testing::TemporaryFolder folder;
  ReadinessGate gate(folder / "none.db");
  EXPECT_EQ(gate.Look().state, GateState::kWaiting);
  EXPECT_FALSE(gate.Latest().missing.empty());
  auto ready =
      std::async(std::launch::async, [&] { return gate.WaitUntilReady({}, std::chrono::milliseconds(5)); });
  SQLite::Database made = dbschema::OpenForWriting(folder / "none.db");
  dbschema::Migrate(made);
  EXPECT_TRUE(ready.get());
  EXPECT_TRUE(gate.ready());
}

TEST(ReadinessGate, AFailureToOpenDoesNotDisplaceThatItWasReady) {
  Observatory observatory;
  ReadinessGate gate(observatory.file());
  ASSERT_EQ(gate.Look().state, GateState::kReady);
  const auto elsewhere = observatory.file().string() + ".moved";
  std::filesystem::rename(observatory.file(), elsewhere);
  ASSERT_EQ(::mknod(observatory.file().c_str(), S_IFSOCK | 0600, 0), 0);  // there, and SQLITE_CANTOPEN
  EXPECT_TRUE(gate.Look().transient);
  EXPECT_TRUE(gate.ready());
  std::filesystem::remove(observatory.file());
  std::filesystem::rename(elsewhere, observatory.file());
}

TEST(ReadinessGate, AnAssessmentIsNotRemembered) {
  Observatory observatory;
  ReadinessGate gate(observatory.file());
  EXPECT_EQ(gate.Assess().state, GateState::kReady);
  EXPECT_EQ(gate.Latest().state, GateState::kWaiting);
}

TEST(ReadinessGate, RefusesANewerDatabase) {
  Observatory observatory;
  observatory.Run("PRAGMA user_version = 9999");
  ReadinessGate gate(observatory.file());
  EXPECT_EQ(gate.Look().state, GateState::kRefused);
  EXPECT_FALSE(gate.WaitUntilReady({}));
}

TEST(ReadinessGate, StopsWaitingWhenItIsTold) {
  testing::TemporaryFolder folder;
  ReadinessGate gate(folder / "none.db");
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return gate.WaitUntilReady(stop.get_token()); });
  stop.request_stop();
  EXPECT_FALSE(waiting.get());
}

}  // namespace
}  // namespace heliograph::server
