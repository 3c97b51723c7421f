#include <sys/mount.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include "common/failpoint.h"
#include "tests/support/run_program.h"
#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

using heliograph::testing::ProgramEnd;
using heliograph::testing::ProgramSetting;
using heliograph::testing::RunProgram;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Kills and fails a publishing process, and looks at what it leaves.
class PublishCrashTest : public QueueTest {
 protected:
  ProgramEnd PublishOnce(const ProgramSetting& setting = {}, const std::string& payload_bytes = "1000") {
    return RunProgram({HELIOGRAPH_PUBLISH_ONCE, volume_.root().string(), payload_bytes}, setting);
  }

  static ProgramSetting With(Failpoint point, const std::string& action) {
    ProgramSetting setting;
    setting.environment["HELIOGRAPH_FAILPOINT_AT"] = std::string(Name(point)) + ":" + action;
    return setting;
  }

  /// Every entry of `new` is a whole file; how many there are.
  std::size_t WholeFiles() {
    const auto listing = inbox_.List();
    for (const ListedFile& listed : listing->files) {
      const auto file = inbox_.Open(listed.name);
      EXPECT_TRUE(file) << file.error().text;
    }
    return listing->files.size();
  }

  void ExpectNextPublishWorks(std::size_t already) {
    EXPECT_EQ(PublishOnce().exit_code, 0);
    EXPECT_EQ(WholeFiles(), already + 1);
    EXPECT_THAT(NamesIn(volume_.queue_temporary()), IsEmpty());
  }
};

/// A point of the protocol, and whether the file is in `new` when the process ends there.
struct PointCase {
  Failpoint point;
  bool published;
};

constexpr PointCase kPoints[] = {
    {Failpoint::kPublishBeforeTemporary, false}, {Failpoint::kPublishHalfWritten, false},
    {Failpoint::kPublishBeforeFileSync, false},  {Failpoint::kPublishAfterFileSync, false},
    {Failpoint::kPublishAfterRename, true},      {Failpoint::kPublishAfterFolderSync, true},
};

class PublishFailpointTest : public PublishCrashTest, public ::testing::WithParamInterface<PointCase> {
 protected:
  void SetUp() override {
#ifndef HELIOGRAPH_FAILPOINTS
    GTEST_SKIP() << "this build has no failpoints (HELIOGRAPH_FAILPOINTS=OFF)";
#endif
  }
};

TEST_P(PublishFailpointTest, LeavesAWholeFileOrNoneWhenKilled) {
  const ProgramEnd end = PublishOnce(With(GetParam().point, "kill"));
  ASSERT_EQ(end.signal, SIGKILL);
  const std::size_t expected = GetParam().published ? 1 : 0;
  EXPECT_EQ(WholeFiles(), expected);
  ExpectNextPublishWorks(expected);
}

TEST_P(PublishFailpointTest, LeavesNoTemporaryFileWhenItFails) {
  const ProgramEnd end = PublishOnce(With(GetParam().point, "error"));
  EXPECT_EQ(end.exit_code, GetParam().published ? 4 : 1);
  EXPECT_THAT(NamesIn(volume_.queue_temporary()), IsEmpty());
  const std::size_t expected = GetParam().published ? 1 : 0;
  EXPECT_EQ(WholeFiles(), expected);
  ExpectNextPublishWorks(expected);
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint, PublishFailpointTest, ::testing::ValuesIn(kPoints),
                         [](const auto& param) { return std::string(Name(param.param.point)); });

TEST_F(PublishCrashTest, HalfOfTheFileIsWrittenAtTheHalfWay) {
#ifndef HELIOGRAPH_FAILPOINTS
  GTEST_SKIP() << "this build has no failpoints (HELIOGRAPH_FAILPOINTS=OFF)";
#endif
  ASSERT_EQ(PublishOnce(With(Failpoint::kPublishHalfWritten, "kill")).signal, SIGKILL);
  const auto leftovers = NamesIn(volume_.queue_temporary());
  ASSERT_THAT(leftovers, SizeIs(1));
  const auto half = std::filesystem::file_size(volume_.queue_temporary() / leftovers.front());
  ASSERT_EQ(PublishOnce().exit_code, 0);
  EXPECT_EQ(half, inbox_.Open(inbox_.List()->files.front().name)->size / 2);
}

TEST_F(PublishCrashTest, PassesEveryPointInTheOrderOfTheProtocol) {
#ifndef HELIOGRAPH_FAILPOINTS
  GTEST_SKIP() << "this build has no failpoints (HELIOGRAPH_FAILPOINTS=OFF)";
#endif
  ProgramSetting setting;
  setting.environment["HELIOGRAPH_FAILPOINT_LOG"] = (folder_ / "log").string();
  ASSERT_EQ(PublishOnce(setting).exit_code, 0);
  std::string expected;
  for (const PointCase& point : kPoints) expected.append(Name(point.point)).append("\n");
  EXPECT_EQ(ReadAll(folder_ / "log"), expected);
}

TEST_F(PublishCrashTest, LeavesNothingWhenTheFileMayNotGrow) {
  ProgramSetting setting;
  setting.before_exec = [] {
    const rlimit limit{20'000, 20'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
  };
  EXPECT_EQ(PublishOnce(setting, "100000").exit_code, 1);
  EXPECT_THAT(NamesIn(volume_.queue_temporary()), IsEmpty());
  EXPECT_EQ(WholeFiles(), 0U);
  ExpectNextPublishWorks(0);
}

TEST_F(PublishCrashTest, LeavesNothingOnAFullDisk) {
  const auto mounted = folder_ / "disk";
  std::filesystem::create_directory(mounted);
  if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "mounting a small disk is not permitted here: " << std::strerror(errno);
  {
    const auto publisher = Publisher::Open(Volume(mounted), "boot-1");
    const auto refused = (*publisher)->Publish(FieldsOf(), std::string(2'000'000, 'x'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, PublishFault::kIo);
    EXPECT_EQ(refused.error().code, ENOSPC);
    EXPECT_THAT(NamesIn(mounted / "queue/tmp"), IsEmpty());
    EXPECT_THAT(NamesIn(mounted / "queue/new"), IsEmpty());
    EXPECT_TRUE((*publisher)->Publish(FieldsOf(), std::string(500'000, 'x')));
  }
  EXPECT_EQ(::umount2(mounted.c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace heliograph::queue
