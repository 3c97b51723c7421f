#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "ingestor/backup.h"
#include "ingestor/capture_source.h"
#include "ingestor/check.h"
#include "ingestor/corescope_source.h"
#include "ingestor/ingestor.h"
#include "ingestor/status_board.h"
#include "ingestor/volume_lock.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::ingestor {
namespace {

using heliograph::testing::TemporaryFolder;

TEST(VolumeLock, IsHeldByOneAtATime) {
  TemporaryFolder folder;
  const Volume volume(folder.path());
  {
    const VolumeLock first(volume);
    EXPECT_THROW(VolumeLock second(volume), VolumeHeld);
  }
  EXPECT_NO_THROW(VolumeLock third(volume));
}

TEST(VolumeLock, IsFreedWhenItsHolderIsKilled) {
  TemporaryFolder folder;
  const Volume volume(folder.path());
  const pid_t child = ::fork();
  if (child == 0) {
    const VolumeLock held(volume);
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_NO_THROW(VolumeLock again(volume));
}

TEST(Check, FindsNothingWrongWithANewVolume) {
  TemporaryFolder folder;
  const Volume volume(folder.path());
  Ingestor(volume, Config{}, {}).ApplyOnce();
  const CheckReport report = Check(volume);
  EXPECT_TRUE(report.well()) << (report.faults.empty() ? "" : report.faults.front());
}

TEST(Check, NamesARuleThatIsBroken) {
  TemporaryFolder folder;
  const Volume volume(folder.path());
  {
    Ingestor ingestor(volume, Config{}, {});
    ingestor.store().database().exec(
        "INSERT INTO observations(id, transmission_id, observer_key, received_after, route, path_len, flags)"
        " VALUES (1, 77, 1, 0, 1, 0, 0)");
  }
  const CheckReport report = Check(volume);
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_EQ(report.faults.front().find("an observation belongs to a transmission"), 0U);
}

TEST(Check, SaysThatThereIsNoDatabase) {
  TemporaryFolder folder;
  EXPECT_FALSE(Check(Volume(folder.path())).well());
}

TEST(Import, RebuildsTheFrameOfEachObservationOfACoreScopeDatabase) {
  TemporaryFolder folder;
  {
    SQLite::Database corescope((folder / "c.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    corescope.exec(
        "CREATE TABLE observers(id TEXT PRIMARY KEY, name TEXT, iata TEXT);"
        "CREATE TABLE transmissions(id INTEGER PRIMARY KEY, raw_hex TEXT);"
        "CREATE TABLE observations(id INTEGER PRIMARY KEY, transmission_id, observer_idx, direction, snr, "
        "rssi, path_json,"
        " timestamp);"
        "INSERT INTO observers VALUES (printf('%064d', 7), 'Roof', 'SJC');"
        "INSERT INTO transmissions VALUES (1, '1542AABBCCDD113BD87AB45B91795CACE1CF3CCED03B6A9FD9');"
        "INSERT INTO observations VALUES (1, 1, 1, 'rx', 5.5, -90, '[\"AABB\",\"CCDD\"]', 1700000000),"
        " (2, 1, 1, 'rx', NULL, NULL, '[\"AABB\",\"CCDD\",\"EEFF\"]', 1700000001), (3, 1, NULL, 'rx', NULL, "
        "NULL, '[]', 1)");
  }
  Ingestor ingestor(Volume(folder.path()), Config{}, {});
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::make_unique<CoreScopeSource>(folder / "c.db", SourceIndex{0}));
  ingestor.Run(sources, true, std::chrono::seconds(5));
  SQLite::Database& database = ingestor.store().database();
  EXPECT_EQ(database.execAndGet("SELECT group_concat(path_len || hex(path)) FROM observations").getString(),
            "66AABBCCDD,67AABBCCDDEEFF");
  EXPECT_EQ(database.execAndGet("SELECT lower(hex(content_hash)) FROM transmissions").getString(),
            "ff46f5e2624d7232");
  EXPECT_EQ(sources.front()->Status().unreadable, 1U);
}

TEST(Reindex, BringsBackWhatTheStoredPacketsSay) {
  TemporaryFolder folder;
  std::ofstream(folder / "c.jsonl") << R"({"received_at":"2026-05-17T16:01:39Z","topic":"meshcore/SJC/)"
                                    << std::string(64, 'A') << R"(/packets","payload":{"raw":")"
                                    << "120046D62DE27D4C5194D7821FC5A34A45565DCC2537B300B9AB6275255CEFB65D840"
                                       "CE5C169C94C9AED39E8BCB6CB6EB0335497A198B33A1A"
                                       "610CD3B03D8DCFC160900E5244280323EE0B44CACAB8F02B5B38B91CFA18BD067B0B5"
                                       "E63E94CFC85F758A8530B9240933402E0E6B8F84D52"
                                       "52322D52"
                                    << R"("}})" << '\n';
  Ingestor ingestor(Volume(folder.path()), Config{}, {});
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::move(*CaptureSource::Open(folder / "c.jsonl", SourceIndex{0}, {})));
  ingestor.Run(sources, true, std::chrono::seconds(5));
  SQLite::Database& database = ingestor.store().database();
  ASSERT_EQ(database.execAndGet("SELECT name FROM nodes").getString(), "MRR2-R");
  database.exec("UPDATE nodes SET name='wrong', lat=0");
  database.exec("UPDATE transmissions SET origin_key=NULL");
  const ReindexReport report = ingestor.DeriveAgain();
  EXPECT_EQ(report.corrected, 1);
  EXPECT_EQ(database.execAndGet("SELECT name || lat FROM nodes").getString(), "MRR2-R37.0");
  EXPECT_EQ(ingestor.DeriveAgain().corrected, 0);
}

std::string CaptureLine(int number) {
  return R"({"received_at":"2026-05-17T16:01:39Z","topic":"meshcore/SJC/)" + std::string(64, 'A') +
         R"(/packets","payload":{"raw":")" + (number < 0 ? "XX" : "0900" + std::to_string(1000 + number)) +
         "\"}}\n";
}

TEST(Run, CountsWhatEachCaptureBecameUnderItsOwnName) {
  TemporaryFolder folder;
  std::ofstream(folder / "a.jsonl") << CaptureLine(1) << CaptureLine(2) << CaptureLine(3) << CaptureLine(-1);
  std::ofstream(folder / "b.jsonl") << CaptureLine(4);
  Ingestor ingestor(Volume(folder.path()), Config{}, {});
  std::vector<std::unique_ptr<Source>> sources;
  for (const char* name : {"a.jsonl", "b.jsonl", "b.jsonl"})
    sources.push_back(std::move(
        *CaptureSource::Open(folder / name, SourceIndex{static_cast<std::uint16_t>(sources.size())}, {})));
  ingestor.Run(sources, true, std::chrono::seconds(5));
  SQLite::Database& database = ingestor.store().database();
  const std::string a = (folder / "a.jsonl").string(), b = (folder / "b.jsonl").string();
  EXPECT_EQ(
      database
          .execAndGet("SELECT group_concat(source || '=' || (stored + duplicates) || '/' || dropped) FROM "
                      "(SELECT * FROM ingest_status ORDER BY source)")
          .getString(),
      a + "=3/1," + b + "=1/0," + b + " (2)=1/0");
  EXPECT_EQ(database.execAndGet("SELECT source FROM dropped_packets").getString(), a);
}

TEST(Run, CountsAnEndThatWasNotInGoodOrder) {
  TemporaryFolder folder;
  Ingestor ingestor(Volume(folder.path()), Config{}, {});
  ingestor.Run({}, true, std::chrono::seconds(5));
  ingestor.Run({}, true, std::chrono::seconds(5));
  EXPECT_EQ(ingestor.store().counters().unclean_ends, 0);
  ingestor.store().database().exec("UPDATE process SET stopped_at=NULL");
  ingestor.Run({}, true, std::chrono::seconds(5));
  EXPECT_EQ(ingestor.store().counters().unclean_ends, 1);
}

TEST(Run, KnowsSinceWhenASourceOfAnEarlierProcessIsAway) {
  TemporaryFolder folder;
  Ingestor ingestor(Volume(folder.path()), Config{}, {});
  ingestor.store().database().exec(
      "INSERT INTO ingest_status(source, kind, address, connected, last_disconnect, connect_count, "
      "disconnect_count, received, stored, duplicates, dropped, received_5m, unreadable, stalls, updated_at) "
      "VALUES ('killed', 'mqtt', 'mqtt://a:1', 1, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0, 90),"
      " ('stopped', 'mqtt', 'mqtt://a:1', 0, 70, 1, 1, 0, 0, 0, 0, 0, 0, 0, 90)");
  const auto away = [&](const char* source, const char* address) {
    const auto since = AwaySince(ingestor.store(), source, address);
    return since ? since->time_since_epoch().count() : -1;
  };
  EXPECT_EQ(away("killed", "mqtt://a:1"), 90);
  EXPECT_EQ(away("stopped", "mqtt://a:1"), 70);
  EXPECT_EQ(away("stopped", "mqtt://b:1"), -1);
  EXPECT_EQ(away("never", "mqtt://a:1"), -1);
}

TEST(Installation, StaysWithTheVolumeAndDiffersFromAllOthers) {
  TemporaryFolder first, second, copy;
  const auto id = [](const TemporaryFolder& folder) {
    return Ingestor(Volume(folder.path()), Config{}, {}).InstallationId();
  };
  const std::string own = id(first), other = id(second);
  EXPECT_EQ(id(first), own);
  EXPECT_NE(own, other);
  Backup(Volume(first.path()), copy / "b.db");
  Restore(Volume(second.path()), copy / "b.db");
  EXPECT_EQ(id(second), other) << "a backup of another volume changes who this one is";
}

TEST(Restore, PutsTheBackupInPlaceUnderANewEpoch) {
  TemporaryFolder folder, copy;
  const Volume volume(folder.path());
  std::string epoch;
  {
    Ingestor ingestor(volume, Config{}, {});
    epoch = ingestor.store().epoch();
    ingestor.store().database().exec("INSERT INTO identity(public_key) VALUES (zeroblob(32))");
    Backup(volume, copy / "b.db");
    ingestor.store().database().exec("INSERT INTO identity(public_key) VALUES (randomblob(32))");
  }
  {
    const VolumeLock lock(volume);
    Restore(volume, copy / "b.db");
  }
  Ingestor ingestor(volume, Config{}, {});
  EXPECT_NE(ingestor.store().epoch(), epoch);
  EXPECT_EQ(ingestor.store().database().execAndGet("SELECT count(*) FROM identity").getInt(), 1);
}

/// A volume with a database, and a backup of it.
class RestoreOverDamage : public ::testing::Test {
 protected:
  RestoreOverDamage() {
    Ingestor(volume_, Config{}, {}).ApplyOnce();
    Backup(volume_, copy_ / "b.db");
  }

  void RestoreAndCheck() {
    {
      const VolumeLock lock(volume_);
      const RestoreReport report = Restore(volume_, copy_ / "b.db");
      EXPECT_TRUE(report.damage);
      EXPECT_EQ(report.kept, kept_);
    }
    EXPECT_TRUE(Check(volume_).well());
    EXPECT_TRUE(std::filesystem::exists(kept_));
    EXPECT_FALSE(std::filesystem::exists(staged_));
  }

  TemporaryFolder folder_, copy_;
  Volume volume_{folder_.path()};
  std::filesystem::path kept_ = volume_.database_folder() / "heliograph.db.before-restore";
  std::filesystem::path staged_ = volume_.database_folder() / "heliograph.db.restoring";
};

TEST_F(RestoreOverDamage, TakesThePlaceOfAFileThatIsNoDatabaseAnyMore) {
  std::fstream(volume_.database()) << "overwritten by something else";
  std::ofstream(volume_.database().string() + "-wal") << "its log";
  RestoreAndCheck();
  EXPECT_EQ(std::filesystem::file_size(kept_.string() + "-wal"), 7U);
}

TEST_F(RestoreOverDamage, TakesThePlaceOfANewerDatabase) {
  SQLite::Database(volume_.database().string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version=99");
  RestoreAndCheck();
}

TEST_F(RestoreOverDamage, TakesThePlaceOfACutFile) {
  std::filesystem::resize_file(volume_.database(), 5000);
  RestoreAndCheck();
}

TEST_F(RestoreOverDamage, LeavesNothingBehindWhenItIsRefused) {
  std::ofstream(copy_ / "bad.db") << "no database";
  EXPECT_ANY_THROW(Restore(volume_, copy_ / "bad.db"));
  EXPECT_FALSE(std::filesystem::exists(staged_));
  EXPECT_FALSE(std::filesystem::exists(kept_));
  EXPECT_TRUE(Check(volume_).well());
}

TEST_F(RestoreOverDamage, KeepsNothingWhereNothingWas) {
  const TemporaryFolder empty;
  const Volume volume(empty.path());
  const VolumeLock lock(volume);
  EXPECT_FALSE(Restore(volume, copy_ / "b.db").kept);
  EXPECT_TRUE(std::filesystem::exists(volume.database()));
}

TEST(Backup, RefusesToOverwrite) {
  TemporaryFolder folder;
  const Volume volume(folder.path());
  Ingestor ingestor(volume, Config{}, {});
  Backup(volume, folder / "b.db");
  EXPECT_THROW(Backup(volume, folder / "b.db"), std::runtime_error);
}

}  // namespace
}  // namespace heliograph::ingestor
