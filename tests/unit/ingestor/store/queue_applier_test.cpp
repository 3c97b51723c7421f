#include "ingestor/apply/queue_applier.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "common/multibyte_snapshot.h"
#include "ingestor/preparer.h"
#include "queue/publisher.h"
#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A volume with two nodes, a server that publishes, and the applier.
class QueueApplierTest : public StoreTest {
 protected:
  QueueApplierTest()
      : volume_(folder_.path()),
        publisher_(std::move(*queue::Publisher::Open(volume_, "server-boot"))),
        inbox_(std::move(*queue::Inbox::Open(volume_))),
        applier_(*store_, inbox_, {std::nullopt, "ingestor-boot", [this](const Receipt& receipt) {
                                     return preparer_.Prepare(receipt);
                                   }}) {
    Store(HeardAdvert(0xA0, "Hill", 100), HeardAdvert(0xA1, "Dale", 100));
  }

  static CapabilityEntry Entry(std::uint8_t node, CapabilityStatus status,
                               std::optional<CapabilityEvidence> evidence) {
    CapabilityEntry entry;
    entry.public_key = KeyOf(node);
    entry.status = status;
    entry.evidence = evidence;
    if (evidence) {
      entry.max_hash_size = 2;
      entry.last_proof_at = kNoon;
      entry.probability = 1.0;
    }
    return entry;
  }

  queue::EnvelopeFields Fields(queue::Kind kind, const std::string& stream) {
    queue::EnvelopeFields fields;
    fields.kind = kind;
    fields.stream = stream;
    fields.epoch = store_->epoch();
    fields.watermark = store_->packets().watermark();
    fields.actor = "test";
    fields.created_at = WallClockNow();
    return fields;
  }

  std::string PublishSnapshot(std::vector<CapabilityEntry> entries, std::int64_t watermark_offset = 0) {
    auto fields = Fields(queue::Kind::kMultibyteSnapshot, "multibyte");
    fields.watermark += watermark_offset;
    return publisher_->Publish(fields, EncodeMultibyteSnapshot({std::move(entries)}))->id.ToText();
  }

  std::string PublishReadiness(SwitchReadiness readiness) {
    const MultibyteSnapshot snapshot{{}, std::move(readiness)};
    return publisher_
        ->Publish(Fields(queue::Kind::kMultibyteSnapshot, "multibyte"), EncodeMultibyteSnapshot(snapshot))
        ->id.ToText();
  }
  /// The regions that have figures now, without the whole mesh.
  std::string OpenRegions() {
    return Text(
        "SELECT group_concat(region) FROM switch_readiness WHERE to_seq IS NULL AND figures IS NOT NULL AND "
        "region<>''");
  }

  std::string OutcomeOf(const std::string& id) {
    return Text("SELECT outcome FROM ledger WHERE id='" + id + "'");
  }
  std::string Hill() {
    return Text("SELECT multibyte_sup || coalesce(multibyte_evidence, '') FROM nodes WHERE name='Hill'");
  }

  std::vector<std::string> Names(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      names.push_back(entry.path().filename());
    return names;
  }

  Volume volume_;
  Preparer preparer_{Preparer::Settings{}};
  std::unique_ptr<queue::Publisher> publisher_;
  queue::Inbox inbox_;
  QueueApplier applier_;
};

constexpr auto kUnknown = CapabilityStatus::kUnknown;
constexpr auto kSuspected = CapabilityStatus::kSuspected;
constexpr auto kConfirmed = CapabilityStatus::kConfirmed;

TEST_F(QueueApplierTest, AppliesASnapshotAsOneCommit) {
  const auto id =
      PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert), Entry(0xA1, kUnknown, {})});
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "applied");
  EXPECT_EQ(Hill(), "2advert");
  EXPECT_EQ(Text("SELECT kind || stream || inserted || updated FROM commit_log WHERE ledger_id='" + id + "'"),
            "snapshotmultibyte10");
  EXPECT_EQ(Text("SELECT head_seq FROM branch"), "2");
  EXPECT_EQ(Count("change_log"), 2);
  EXPECT_THAT(Names(volume_.queue_new()), IsEmpty());
}

TEST_F(QueueApplierTest, FindsNothingNewInTheSameStateAgain) {
  PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  applier_.Run();
  const auto again = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  applier_.Run();
  EXPECT_EQ(OutcomeOf(again), "noop");
  EXPECT_EQ(Count("commit_log"), 2);
  EXPECT_EQ(Count("change_log"), 2);
}

TEST_F(QueueApplierTest, ChangesNothingWhenAFileIsDeliveredAgain) {
  const auto id = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  const auto name = Names(volume_.queue_new()).front();
  std::filesystem::copy_file(volume_.queue_new() / name, folder_ / "copy");
  applier_.Run();
  std::filesystem::rename(folder_ / "copy", volume_.queue_new() / name);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "applied");
  EXPECT_EQ(Count("commit_log"), 2);
  EXPECT_THAT(Names(volume_.queue_new()), IsEmpty());
}

TEST_F(QueueApplierTest, NeverLetsAnUnknownOrWeakerStatusOverwrite) {
  PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kRelay)});
  applier_.Run();
  PublishSnapshot({Entry(0xA0, kUnknown, {})});
  applier_.Run();
  PublishSnapshot({Entry(0xA0, kSuspected, CapabilityEvidence::kPath)});
  applier_.Run();
  EXPECT_EQ(Hill(), "2relay");
}

SwitchReadiness ReadinessOf(double share, std::vector<std::string> regions = {}) {
  SwitchReadiness readiness;
  regions.insert(regions.begin(), "");
  for (const std::string& region : regions) {
    ReadinessScope scope;
    scope.region = region;
    scope.two_bytes.node_share = ShareEstimate{share, share - 0.1, share + 0.1};
    readiness.scopes.push_back(scope);
  }
  return readiness;
}

TEST_F(QueueApplierTest, StoresReadinessOfTheMeshAndItsRegions) {
  const auto id = PublishReadiness(ReadinessOf(0.604, {"SJC"}));
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "applied");
  EXPECT_EQ(OpenRegions(), "SJC");
  EXPECT_EQ(Text("SELECT figures ->> '$.two_bytes.node_share.share' FROM switch_readiness WHERE region=''"),
            "0.6");
  EXPECT_EQ(Count("change_log WHERE kind='readiness_changed'"), 2);
}

TEST_F(QueueApplierTest, WritesNoCommitForNoiseInReadiness) {
  PublishReadiness(ReadinessOf(0.6));
  applier_.Run();
  const auto noise = PublishReadiness(ReadinessOf(0.62));
  applier_.Run();
  EXPECT_EQ(OutcomeOf(noise), "noop");
  EXPECT_EQ(Count("commit_log"), 2);
}

TEST_F(QueueApplierTest, ClosesAnIntervalOfReadinessForTheNext) {
  PublishReadiness(ReadinessOf(0.6));
  applier_.Run();
  PublishReadiness(ReadinessOf(0.5));
  applier_.Run();
  EXPECT_EQ(Text("SELECT group_concat(from_seq || '-' || coalesce(to_seq, ''), ' ') FROM switch_readiness"),
            "2-3 3-");
}

TEST_F(QueueApplierTest, EndsARegionThatIsNoLongerToldApart) {
  PublishReadiness(ReadinessOf(0.6, {"OAK", "SJC"}));
  applier_.Run();
  PublishReadiness(ReadinessOf(0.6, {"SJC"}));
  applier_.Run();
  EXPECT_EQ(OpenRegions(), "SJC");
  const auto again = PublishReadiness(ReadinessOf(0.6, {"SJC"}));
  applier_.Run();
  EXPECT_EQ(OutcomeOf(again), "noop");
}

TEST_F(QueueApplierTest, KeepsReadinessWhenASnapshotHasNone) {
  PublishReadiness(ReadinessOf(0.6, {"SJC"}));
  applier_.Run();
  PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  applier_.Run();
  EXPECT_EQ(OpenRegions(), "SJC");
}

TEST_F(QueueApplierTest, TakesAFreshProofAfterAClockWasAhead) {
  Store(HeardPacket(9, 0x01, 0, WallClockNow() + std::chrono::hours(24 * 3650)));
  QueueApplier ageing(*store_, inbox_, {30, "ingestor-boot", nullptr});
  CapabilityEntry entry = Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert);
  entry.last_proof_at = WallClockNow();
  PublishSnapshot({entry});
  ageing.Run();
  EXPECT_EQ(Hill(), "2advert");
}

TEST_F(QueueApplierTest, ReachesInactiveNodesToo) {
  {
    StoreTransaction transaction(*store_);
    store_->nodes().Retire(kNoon + std::chrono::hours(1), 10);
    transaction.Commit();
  }
  PublishSnapshot({Entry(0xA0, kSuspected, CapabilityEvidence::kPath)});
  applier_.Run();
  EXPECT_EQ(Text("SELECT multibyte_sup FROM inactive_nodes WHERE name='Hill'"), "1");
}

TEST_F(QueueApplierTest, LetsTheNewestOfSeveralWaitingStatesWin) {
  const auto old = PublishSnapshot({Entry(0xA0, kSuspected, CapabilityEvidence::kPath)});
  const auto newest = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kRelay)});
  applier_.Run();
  EXPECT_EQ(OutcomeOf(old), "superseded");
  EXPECT_EQ(OutcomeOf(newest), "applied");
}

TEST_F(QueueApplierTest, RefusesAStateThatIsOlderThanTheAppliedOne) {
  PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  applier_.Run();
  const auto old = PublishSnapshot({Entry(0xA1, kConfirmed, CapabilityEvidence::kAdvert)}, -1);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(old), "stale");
}

TEST_F(QueueApplierTest, RefusesAFileThatALaterOneOfItsStreamHasOvertaken) {
  const auto early = PublishSnapshot({Entry(0xA0, kSuspected, CapabilityEvidence::kPath)});
  const auto name = Names(volume_.queue_new()).front();
  std::filesystem::rename(volume_.queue_new() / name, folder_ / "late");
  PublishSnapshot({Entry(0xA0, kSuspected, CapabilityEvidence::kPath)});
  applier_.Run();
  std::filesystem::rename(folder_ / "late", volume_.queue_new() / name);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(early), "stale");
}

TEST_F(QueueApplierTest, RefusesAFutureThatThisDatabaseHasNotSeen) {
  const auto id = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)}, 1);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "wrong_epoch");
  EXPECT_EQ(Hill(), "0");
}

TEST_F(QueueApplierTest, RefusesWhatWasComputedFromAnotherDatabase) {
  auto fields = Fields(queue::Kind::kMultibyteSnapshot, "multibyte");
  fields.epoch = "another";
  const auto id = publisher_->Publish(fields, EncodeMultibyteSnapshot({}))->id.ToText();
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "wrong_epoch");
}

TEST_F(QueueApplierTest, SetsAPayloadAsideThatMakesNoSenseAndLetsItSupersedeNothing) {
  const auto good = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  const auto bad =
      publisher_->Publish(Fields(queue::Kind::kMultibyteSnapshot, "multibyte"), "{}")->id.ToText();
  const auto report = applier_.Run();
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(OutcomeOf(bad), "rejected");
  EXPECT_EQ(OutcomeOf(good), "applied");
  EXPECT_EQ(Names(volume_.queue_failed()).size(), 2U);  // the file and its reason
}

TEST_F(QueueApplierTest, SetsEverythingAsideThatIsNoQueueFileAndGoesOn) {
  std::ofstream(volume_.queue_new() / "notes.txt") << "hello";
  ASSERT_EQ(::mkfifo((volume_.queue_new() / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(volume_.queue_new() / "folder");
  std::filesystem::create_symlink("/etc/hostname", volume_.queue_new() / "link");
  const auto good = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  EXPECT_EQ(applier_.Run().failed, 4U);
  EXPECT_EQ(OutcomeOf(good), "applied");
  EXPECT_THAT(Names(volume_.queue_new()), IsEmpty());
  EXPECT_EQ(Count("ledger WHERE id LIKE 'bad:%'"), 4);
}

TEST_F(QueueApplierTest, DoesNotLetADamagedCopyBurnTheGenuineFile) {
  const auto id = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  const auto name = Names(volume_.queue_new()).front();
  std::filesystem::copy_file(volume_.queue_new() / name, folder_ / "genuine");
  std::filesystem::resize_file(volume_.queue_new() / name, 300);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "(no row)");
  std::filesystem::rename(folder_ / "genuine", volume_.queue_new() / name);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "applied");
}

TEST_F(QueueApplierTest, TakesInjectedPacketsLikeAnySource) {
  const std::string line = R"({"received_at":"2026-05-17T16:01:39Z","topic":"meshcore/SJC/)" +
                           KeyOf(0x11).ToObserverId() +
                           R"(/packets","payload":{"raw":"142AB500000068656C6C6F"}})";
  const auto id =
      publisher_->Publish(Fields(queue::Kind::kPacketInject, "packets"), line + "\n")->id.ToText();
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "done");
  EXPECT_THAT(Text("SELECT result FROM ledger WHERE id='" + id + "'"), HasSubstr("\"observations\":1"));
  EXPECT_EQ(Count("observers WHERE id='" + KeyOf(0x11).ToObserverId() + "'"), 1);
}

TEST_F(QueueApplierTest, PrunesJustTheNodesThatAreNamed) {
  PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  applier_.Run();
  const std::string request = R"({"reason":"outside","public_keys":[")" + KeyOf(0xA0).ToHex() + R"(",")" +
                              KeyOf(0xB0).ToHex() + R"("]})";
  const auto id = publisher_->Publish(Fields(queue::Kind::kPruneRequest, "prune"), request)->id.ToText();
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "applied");
  EXPECT_EQ(Text("SELECT group_concat(name) FROM nodes"), "Dale");
  EXPECT_EQ(Count("node_capability WHERE to_seq IS NULL"), 0);
  EXPECT_EQ(Text("SELECT group_concat(kind) FROM (SELECT kind FROM change_log WHERE seq > 2 ORDER BY seq)"),
            "node_removed,commit");
}

TEST_F(QueueApplierTest, NotesInTheAuditWhatAnEarlierProcessLeft) {
  const auto id = PublishSnapshot({Entry(0xA0, kConfirmed, CapabilityEvidence::kAdvert)});
  applier_.SetRecovering(true);
  applier_.Run();
  EXPECT_EQ(Text("SELECT action || commit_seq FROM recovery_audit WHERE ledger_id='" + id + "'"),
            "rolled_forward2");
}

}  // namespace
}  // namespace heliograph::ingestor
