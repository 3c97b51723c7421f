#include "queue/watch.h"

#include <poll.h>

#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

class InboxWatchTest : public QueueTest {
 protected:
  static bool Fires(const InboxWatch& watch, int timeout_ms) {
    pollfd waiting{watch.fd(), POLLIN, 0};
    return ::poll(&waiting, 1, timeout_ms) == 1 && (waiting.revents & POLLIN) != 0;
  }
};

TEST_F(InboxWatchTest, FiresWhenAFileIsPublished) {
  InboxWatch watch(volume_);
  ASSERT_TRUE(watch.degraded_because().empty()) << watch.degraded_because();
  EXPECT_FALSE(Fires(watch, 0));
  ASSERT_TRUE(OpenPublisher()->Publish(FieldsOf(), "payload"));
  EXPECT_TRUE(Fires(watch, 5000));
  EXPECT_TRUE(watch.Drain());
  EXPECT_FALSE(Fires(watch, 0));
  EXPECT_FALSE(watch.Drain());
}

TEST_F(InboxWatchTest, FiresWhenAForeignFileAppears) {
  InboxWatch watch(volume_);
  WriteAllTo(volume_.queue_new() / "README", "foreign");
  EXPECT_TRUE(Fires(watch, 5000));
}

TEST_F(InboxWatchTest, IsQuietWhenFilesGo) {
  const std::string name = Place(EnvelopeFor("payload"), "payload");
  InboxWatch watch(volume_);
  ASSERT_TRUE(inbox_.Acknowledge(name));
  EXPECT_FALSE(watch.Drain());
}

TEST_F(InboxWatchTest, NeverFiresWithoutTheFolderAndSaysWhy) {
  const heliograph::testing::TemporaryFolder empty;
  InboxWatch watch{Volume(empty.path())};
  EXPECT_EQ(watch.fd(), -1);
  EXPECT_FALSE(watch.degraded_because().empty());
  EXPECT_FALSE(Fires(watch, 0));
  EXPECT_FALSE(watch.Drain());
}

TEST_F(InboxWatchTest, SaysThatTheFolderWasRemoved) {
  // Not the fixture's volume: a folder that a process holds open outlives its removal.
  const heliograph::testing::TemporaryFolder other;
  const Volume volume(other.path());
  std::filesystem::create_directories(volume.queue_new());
  InboxWatch watch(volume);
  std::filesystem::remove_all(volume.queue_new());
  EXPECT_TRUE(Fires(watch, 5000));
  watch.Drain();
  EXPECT_EQ(watch.fd(), -1);
  EXPECT_NE(watch.degraded_because().find("removed"), std::string::npos);
}

}  // namespace
}  // namespace heliograph::queue
