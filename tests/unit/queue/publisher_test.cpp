#include "queue/publisher.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <thread>

#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PublisherTest : public QueueTest {
 protected:
  mode_t ModeOf(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
};

TEST_F(PublisherTest, HandsOverWhatItWasGiven) {
  const auto publisher = OpenPublisher();
  EnvelopeFields fields = FieldsOf("clusters/mesh");
  fields.kind = Kind::kClusterSnapshot;
  fields.branch_id = 3;
  fields.base_commit_seq = 17;
  fields.watermark = 1234;
  const auto published = publisher->Publish(fields, "the payload");
  ASSERT_TRUE(published) << published.error().text;
  const auto file = inbox_.Open(published->name);
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_EQ(file->payload, "the payload");
  EXPECT_EQ(file->envelope.id, published->id);
  EXPECT_EQ(file->envelope.kind, Kind::kClusterSnapshot);
  EXPECT_EQ(file->envelope.stream, "clusters/mesh");
  EXPECT_EQ(file->envelope.branch_id, 3);
  EXPECT_EQ(file->envelope.base_commit_seq, 17);
  EXPECT_EQ(file->envelope.watermark, 1234);
  EXPECT_EQ(file->envelope.instance, "boot-1");
  EXPECT_EQ(file->envelope.created_at, kSomeTime);
}

TEST_F(PublisherTest, LeavesNothingInTheTemporaryFolder) {
  ASSERT_TRUE(OpenPublisher()->Publish(FieldsOf(), "payload"));
  EXPECT_THAT(NamesIn(volume_.queue_temporary()), IsEmpty());
}

TEST_F(PublisherTest, SharesWithTheGroupWhateverTheUmaskIs) {
  const mode_t before = ::umask(0077);
  const heliograph::testing::TemporaryFolder fresh;
  const auto publisher = Publisher::Open(Volume(fresh.path()), "boot-1");
  const auto published = (*publisher)->Publish(FieldsOf(), "payload");
  ::umask(before);
  ASSERT_TRUE(published);
  EXPECT_EQ(ModeOf(fresh / "queue"), 02770U);
  for (const char* name : {"queue/tmp", "queue/new", "queue/failed"})
    EXPECT_EQ(ModeOf(fresh / name), 02770U) << name;
  EXPECT_EQ(ModeOf(fresh.path() / "queue/new" / published->name), 0660U);
}

TEST_F(PublisherTest, NumbersFilesInTheOrderOfPublication) {
  const auto publisher = OpenPublisher();
  for (std::int64_t expected = 1; expected <= 12; ++expected)
    EXPECT_EQ(publisher->Publish(FieldsOf(), "payload")->producer_seq, expected);
}

TEST_F(PublisherTest, GoesOnAboveTheLedgerTheFolderAndItself) {
  Place(EnvelopeFor("payload", 40), "payload");
  const auto publisher = OpenPublisher();
  EXPECT_EQ(publisher->Publish(FieldsOf(), "payload")->producer_seq, 41);
  publisher->ObserveLedger(100);
  EXPECT_EQ(publisher->Publish(FieldsOf(), "payload")->producer_seq, 101);
  publisher->ObserveLedger(50);
  for (const std::string& name : NamesIn(volume_.queue_new())) ASSERT_TRUE(inbox_.Acknowledge(name));
  EXPECT_EQ(publisher->Publish(FieldsOf(), "payload")->producer_seq, 102);
}

TEST_F(PublisherTest, GoesOnAfterARestart) {
  ASSERT_EQ(OpenPublisher()->Publish(FieldsOf(), "payload")->producer_seq, 1);
  ASSERT_EQ(OpenPublisher()->Publish(FieldsOf(), "payload")->producer_seq, 2);
}

TEST_F(PublisherTest, SaysWhenNoNumberIsLeft) {
  Place(EnvelopeFor("payload", std::numeric_limits<std::int64_t>::max()), "payload");
  const auto published = OpenPublisher()->Publish(FieldsOf(), "payload");
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().fault, PublishFault::kSequenceExhausted);
}

TEST_F(PublisherTest, RefusesASecondProducer) {
  const auto first = OpenPublisher();
  const auto second = Publisher::Open(volume_, "boot-2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().fault, OpenPublisherError::Fault::kHeldByAnother);
  EXPECT_NE(second.error().text.find(volume_.server_lock().string()), std::string::npos);
}

TEST_F(PublisherTest, FreesTheLockWhenItIsKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto publisher = Publisher::Open(volume_, "boot-2");
    const char sign = publisher ? 'y' : 'n';
    [[maybe_unused]] const auto written = ::write(ready[1], &sign, 1);
    for (;;) ::pause();
  }
  char sign = 0;
  ASSERT_EQ(::read(ready[0], &sign, 1), 1);
  ASSERT_EQ(sign, 'y');
  EXPECT_FALSE(Publisher::Open(volume_, "boot-1"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(Publisher::Open(volume_, "boot-1"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PublisherTest, SweepsItsOwnLeftoversOnly) {
  const std::string leftover = FileName{7, Ulid::Generate(kSomeTime), Kind::kPin}.ToText();
  WriteAllTo(volume_.queue_temporary() / leftover, "half a fi");
  WriteAllTo(volume_.queue_temporary() / "somebody-elses", "content");
  EXPECT_EQ(OpenPublisher()->swept(), 1U);
  EXPECT_THAT(NamesIn(volume_.queue_temporary()), ElementsAre("somebody-elses"));
}

TEST_F(PublisherTest, StopsAtAFullFolder) {
  const auto publisher = OpenPublisher({.max_files = 3});
  std::string last;
  for (int i = 0; i < 3; ++i) last = publisher->Publish(FieldsOf(), "payload")->name;
  const auto refused = publisher->Publish(FieldsOf(), "payload");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, PublishFault::kFolderFull);
  EXPECT_THAT(NamesIn(volume_.queue_new()), SizeIs(3));
  ASSERT_TRUE(inbox_.Acknowledge(last));
  EXPECT_TRUE(publisher->Publish(FieldsOf(), "payload"));
}

TEST_F(PublisherTest, RefusesAPayloadBeyondTheLimit) {
  const auto publisher = OpenPublisher({.max_payload_bytes = 4});
  EXPECT_TRUE(publisher->Publish(FieldsOf(), "1234"));
  EXPECT_EQ(publisher->Publish(FieldsOf(), "12345").error().fault, PublishFault::kPayloadTooLarge);
}

TEST_F(PublisherTest, RefusesFieldsThatNoReaderWouldTake) {
  const auto publisher = OpenPublisher();
  EnvelopeFields fields = FieldsOf();
  fields.actor.clear();
  EXPECT_EQ(publisher->Publish(fields, "payload").error().fault, PublishFault::kInvalidFields);
  fields = FieldsOf();
  fields.watermark = -1;
  EXPECT_EQ(publisher->Publish(fields, "payload").error().fault, PublishFault::kInvalidFields);
  EXPECT_THAT(NamesIn(volume_.queue_new()), IsEmpty());
}

TEST_F(PublisherTest, ListsWhatWaits) {
  const auto publisher = OpenPublisher();
  const auto mesh = publisher->Publish(FieldsOf("clusters/mesh"), "1");
  const auto items = publisher->Publish(FieldsOf("clusters/items"), "2");
  WriteAllTo(volume_.queue_new() / "README", "foreign");
  const auto pending = publisher->List();
  ASSERT_TRUE(pending);
  ASSERT_THAT(pending->files, SizeIs(2));
  EXPECT_EQ(pending->files[0].name, mesh->name);
  EXPECT_EQ(pending->files[1].envelope.id, items->id);
  EXPECT_EQ(pending->unread, 1U);
}

TEST_F(PublisherTest, KnowsByTheNamesAloneWhetherAFileStillWaits) {
  const auto publisher = OpenPublisher();
  const auto published = publisher->Publish(FieldsOf(), "{}");
  ASSERT_TRUE(published);
  WriteAllTo(volume_.queue_new() / published->name, "no queue file");
  EXPECT_TRUE(*publisher->Holds(published->id));
  std::filesystem::remove(volume_.queue_new() / published->name);
  EXPECT_FALSE(*publisher->Holds(published->id));
}

TEST_F(PublisherTest, TellsWhatIsOutstandingOfAStream) {
  const auto publisher = OpenPublisher();
  const auto mesh = publisher->Publish(FieldsOf("clusters/mesh"), "1");
  ASSERT_TRUE(publisher->Publish(FieldsOf("clusters/items"), "2"));
  const auto outstanding = publisher->Outstanding("clusters/mesh");
  ASSERT_THAT(*outstanding, SizeIs(1));
  EXPECT_EQ(outstanding->front().name, mesh->name);
  EXPECT_EQ(publisher->Read(mesh->name)->payload, "1");
  ASSERT_TRUE(inbox_.Acknowledge(mesh->name));
  EXPECT_THAT(*publisher->Outstanding("clusters/mesh"), IsEmpty());
  EXPECT_EQ(publisher->Read(mesh->name).error().code, ENOENT);
}

TEST_F(PublisherTest, GivesEachFileANumberOfItsOwnFromManyThreads) {
  const auto publisher = OpenPublisher();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) EXPECT_TRUE(publisher->Publish(FieldsOf(), "payload"));
      });
    }
  }
  std::set<std::int64_t> numbers;
  const auto pending = publisher->List();
  for (const auto& file : pending->files) numbers.insert(file.envelope.producer_seq);
  EXPECT_EQ(numbers.size(), 40U);
  EXPECT_EQ(*numbers.rbegin(), 40);
}

TEST_F(PublisherTest, DoesNotStartOnALinkedFolder) {
  const heliograph::testing::TemporaryFolder other;
  std::filesystem::remove(volume_.queue_new());
  std::filesystem::create_directory_symlink(other.path(), volume_.queue_new());
  const auto publisher = Publisher::Open(volume_, "boot-1");
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().fault, OpenPublisherError::Fault::kIo);
}

TEST_F(PublisherTest, SaysThatTheDataFolderIsMissing) {
  const auto publisher = Publisher::Open(Volume(folder_ / "nowhere"), "boot-1");
  ASSERT_FALSE(publisher);
  EXPECT_NE(publisher.error().text.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace heliograph::queue
