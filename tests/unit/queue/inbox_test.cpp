#include "queue/inbox.h"

#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InboxTest : public QueueTest {
 protected:
  std::vector<std::string> Listed(const Inbox& inbox) {
    std::vector<std::string> names;
    const auto listing = inbox.List();
    for (const ListedFile& file : listing->files) names.push_back(file.name);
    return names;
  }
};

TEST_F(InboxTest, ListsInTheOrderOfTheNumbers) {
  for (const std::int64_t number : {100, 20, 3, 1000}) Place(EnvelopeFor("payload", number), "payload");
  std::vector<std::int64_t> numbers;
  const auto listing = inbox_.List();
  for (const ListedFile& file : listing->files) numbers.push_back(file.parsed->producer_seq);
  EXPECT_THAT(numbers, ElementsAre(3, 20, 100, 1000));
}

TEST_F(InboxTest, ListsForeignEntriesLast) {
  WriteAllTo(volume_.queue_new() / "0-foreign", "x");
  WriteAllTo(volume_.queue_new() / ".hidden", "x");
  const std::string file = Place(EnvelopeFor("payload"), "payload");
  EXPECT_THAT(Listed(inbox_), ElementsAre(file, ".hidden", "0-foreign"));
  EXPECT_FALSE(inbox_.List()->files.back().parsed);
}

TEST_F(InboxTest, ListsTheFirstWhenThereAreTooMany) {
  InboxLimits limits;
  limits.max_listed = 3;
  const Inbox inbox = OpenInbox(limits);
  std::vector<std::string> names;
  for (const std::int64_t number : {5, 1, 4, 2, 3})
    names.push_back(Place(EnvelopeFor("payload", number), "payload"));
  EXPECT_THAT(Listed(inbox), ElementsAre(names[1], names[3], names[4]));
  EXPECT_TRUE(inbox.List()->more);
  EXPECT_FALSE(inbox_.List()->more);
}

TEST_F(InboxTest, NeverLooksIntoTheTemporaryFolder) {
  WriteAllTo(volume_.queue_temporary() / FileName{1, Ulid::Generate(kSomeTime), Kind::kPin}.ToText(), "half");
  EXPECT_THAT(Listed(inbox_), IsEmpty());
}

TEST_F(InboxTest, TakesAwayWhatIsAcknowledged) {
  const std::string first = Place(EnvelopeFor("payload", 1), "payload");
  const std::string second = Place(EnvelopeFor("payload", 2), "payload");
  ASSERT_TRUE(inbox_.Acknowledge(first));
  EXPECT_THAT(Listed(inbox_), ElementsAre(second));
}

TEST_F(InboxTest, ReportsWhatItCannotTakeAway) {
  const auto gone = inbox_.Acknowledge(FileName{1, Ulid::Generate(kSomeTime), Kind::kPin}.ToText());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ENOENT);
  std::filesystem::create_directory(volume_.queue_new() / "folder");
  EXPECT_EQ(inbox_.Acknowledge("folder").error().code, EISDIR);
  EXPECT_EQ(inbox_.Acknowledge("../new").error().code, EINVAL);
}

TEST_F(InboxTest, SaysThatTheFolderWasRemoved) {
  std::filesystem::remove(volume_.queue_new());
  const auto listing = inbox_.List();
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().code, ENOENT);
}

}  // namespace
}  // namespace heliograph::queue
