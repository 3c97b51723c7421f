#include "queue/quarantine.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Fate = QuarantineReport::Fate;

class QuarantineTest : public QueueTest {
 protected:
  Inbox InboxWith(QuarantineLimits quarantine) {
    InboxLimits limits;
    limits.quarantine = quarantine;
    return OpenInbox(limits);
  }
  std::string Reason(const std::string& name) { return ReadAll(volume_.queue_failed() / (name + ".reason")); }
};

TEST_F(QuarantineTest, MovesTheFileAndWritesTheReasonBesideIt) {
  const std::string name = Place(EnvelopeFor("payload"), "daolyap");
  const std::string content = ReadAll(volume_.queue_new() / name);
  const auto report = inbox_.Quarantine(name, "digest_mismatch: another payload");
  EXPECT_EQ(report.fate, Fate::kMoved);
  EXPECT_EQ(report.name, name);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_THAT(NamesIn(volume_.queue_new()), IsEmpty());
  EXPECT_THAT(NamesIn(volume_.queue_failed()), ElementsAre(name, name + ".reason"));
  EXPECT_EQ(ReadAll(volume_.queue_failed() / name), content);
  EXPECT_EQ(Reason(name), "digest_mismatch: another payload\nname: \"" + name + "\"\n");
}

TEST_F(QuarantineTest, NeverReplacesAnother) {
  const Envelope envelope = EnvelopeFor("payload");
  for (const std::string content : {"daolyap", "damaged", "another"})
    inbox_.Quarantine(Place(envelope, content), "because of " + content);
  const std::string name = FileName::Of(envelope).ToText();
  EXPECT_THAT(NamesIn(volume_.queue_failed()), ElementsAre(name, name + ".1", name + ".1.reason", name + ".2",
                                                           name + ".2.reason", name + ".reason"));
  EXPECT_THAT(Reason(name), HasSubstr("daolyap"));
  EXPECT_THAT(Reason(name + ".2"), HasSubstr("another"));
}

TEST_F(QuarantineTest, MovesLinksFoldersAndFifosThemselves) {
  WriteAllTo(folder_ / "outside", "untouched");
  std::filesystem::create_symlink(folder_ / "outside", volume_.queue_new() / "link");
  std::filesystem::create_directory(volume_.queue_new() / "folder");
  WriteAllTo(volume_.queue_new() / "folder" / "inner", "content");
  ASSERT_EQ(::mkfifo((volume_.queue_new() / "fifo").c_str(), 0600), 0);
  for (const char* name : {"link", "folder", "fifo"}) {
    const auto report = inbox_.Quarantine(name, "not_regular_file");
    EXPECT_EQ(report.fate, Fate::kMoved) << name;
    EXPECT_THAT(report.problems, IsEmpty()) << name;
    EXPECT_THAT(report.name, ::testing::StartsWith(name));
  }
  EXPECT_THAT(NamesIn(volume_.queue_new()), IsEmpty());
  EXPECT_EQ(ReadAll(folder_ / "outside"), "untouched");
}

TEST_F(QuarantineTest, GivesOddNamesAPrintableOne) {
  for (const std::string& name : {std::string("a b\n\x1b[31m"), std::string("-rf"), std::string(".hidden"),
                                  std::string(255, 'l'), std::string("x.reason"), std::string("\xff")}) {
    WriteAllTo(volume_.queue_new() / name, "content");
    const auto report = inbox_.Quarantine(name, "unsafe_name");
    EXPECT_EQ(report.fate, Fate::kMoved);
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_THAT(report.name, ::testing::MatchesRegex("[0-9A-Za-z_][-0-9A-Za-z._]*"));
    EXPECT_FALSE(report.name.ends_with(".reason"));
    EXPECT_THAT(Reason(report.name), HasSubstr("unsafe_name"));
  }
  EXPECT_THAT(NamesIn(volume_.queue_failed()), SizeIs(12));
}

TEST_F(QuarantineTest, ReportsWhatIsNotThere) {
  const auto gone = inbox_.Quarantine("nothing", "reason");
  EXPECT_EQ(gone.fate, Fate::kGone);
  EXPECT_THAT(NamesIn(volume_.queue_failed()), IsEmpty());
  EXPECT_EQ(inbox_.Quarantine("../server.lock", "reason").fate, Fate::kLeft);
}

TEST_F(QuarantineTest, KeepsTheNewestWhenThereAreTooMany) {
  const Inbox inbox = InboxWith({.max_files = 3});
  std::vector<std::string> names;
  std::size_t evicted = 0;
  for (std::int64_t number = 1; number <= 5; ++number) {
    names.push_back(Place(EnvelopeFor("payload", number), "daolyap"));
    evicted += inbox.Quarantine(names.back(), "reason").evicted;
  }
  EXPECT_EQ(evicted, 2U);
  EXPECT_THAT(NamesIn(volume_.queue_failed()),
              ElementsAre(names[2], names[2] + ".reason", names[3], names[3] + ".reason", names[4],
                          names[4] + ".reason"));
}

TEST_F(QuarantineTest, KeepsTheNewestWhenTheyAreTooLarge) {
  const Inbox inbox = InboxWith({.max_bytes = 5000});
  const std::string first = Place(EnvelopeFor("", 1), std::string(3000, 'x'));
  const std::string second = Place(EnvelopeFor("", 2), std::string(3000, 'x'));
  EXPECT_EQ(inbox.Quarantine(first, "reason").evicted, 0U);
  EXPECT_EQ(inbox.Quarantine(second, "reason").evicted, 1U);
  EXPECT_THAT(NamesIn(volume_.queue_failed()), ElementsAre(second, second + ".reason"));
}

TEST_F(QuarantineTest, KeepsTheReasonOfAFileThatIsTooLargeByItself) {
  const Inbox inbox = InboxWith({.max_bytes = 1000});
  const std::string name = Place(EnvelopeFor(""), std::string(3000, 'x'));
  EXPECT_EQ(inbox.Quarantine(name, "reason").evicted, 1U);
  EXPECT_THAT(NamesIn(volume_.queue_failed()), ElementsAre(name + ".reason"));
}

TEST_F(QuarantineTest, EvictsWholeFolders) {
  const Inbox inbox = InboxWith({.max_bytes = 5000});
  std::filesystem::create_directories(volume_.queue_new() / "folder" / "inner");
  WriteAllTo(volume_.queue_new() / "folder" / "inner" / "file", std::string(4000, 'x'));
  ASSERT_EQ(inbox.Quarantine("folder", "reason").evicted, 0U);
  const std::string name = Place(EnvelopeFor(""), std::string(3000, 'x'));
  const auto report = inbox.Quarantine(name, "reason");
  EXPECT_EQ(report.evicted, 1U);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_THAT(NamesIn(volume_.queue_failed()), ElementsAre(name, name + ".reason"));
}

TEST_F(QuarantineTest, MovesTheFileEvenWhenTheReasonCannotBeWritten) {
  std::filesystem::create_directories(volume_.queue_failed() / ".reason.tmp" / "inner");
  const std::string name = Place(EnvelopeFor("payload"), "daolyap");
  const auto report = inbox_.Quarantine(name, "reason");
  EXPECT_EQ(report.fate, Fate::kMoved);
  EXPECT_THAT(report.problems, SizeIs(1));
  EXPECT_TRUE(std::filesystem::exists(volume_.queue_failed() / name));
}

TEST_F(QuarantineTest, LeavesAndReportsAMountPoint) {
  const auto folder = volume_.queue_new() / "mounted";
  std::filesystem::create_directory(folder);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "mounting is not permitted here: " << std::strerror(errno);
  const auto report = inbox_.Quarantine("mounted", "not_regular_file");
  ::umount(folder.c_str());
  EXPECT_EQ(report.fate, Fate::kLeft);
  EXPECT_EQ(report.problems.front().code, EBUSY);
  EXPECT_THAT(NamesIn(volume_.queue_failed()), IsEmpty());
}

}  // namespace
}  // namespace heliograph::queue
