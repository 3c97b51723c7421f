#include "tests/support/syscall_trace.h"
#include "tests/unit/queue/queue_fixture.h"

namespace heliograph::queue {
namespace {

using heliograph::testing::RunTraced;
using heliograph::testing::SyscallTrace;
using heliograph::testing::TracedProgram;
using heliograph::testing::WhyTracingIsImpossible;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// What a publication asks of the kernel, and what happens when the kernel says no.
class PublishTraceTest : public QueueTest {
 protected:
  void SetUp() override {
    if (const auto reason = WhyTracingIsImpossible()) GTEST_SKIP() << *reason;
  }

  TracedProgram PublishTraced(const std::string& inject = {}) {
    return RunTraced({HELIOGRAPH_PUBLISH_ONCE, volume_.root().string(), "100000"}, folder_.path(), inject);
  }

  std::string Path(const std::string& inside_the_queue) const {
    return (volume_.queue() / inside_the_queue).string();
  }
};

TEST_F(PublishTraceTest, WritesThenSyncsThenRenamesThenSyncsTheFolder) {
  const auto [end, trace] = PublishTraced();
  ASSERT_EQ(end.exit_code, 0);
  const auto names = NamesIn(volume_.queue_new());
  ASSERT_THAT(names, SizeIs(1));
  const std::string temporary = Path("tmp/" + names.front());

  const auto writes = trace.Find({"write"}, temporary);
  const auto file_syncs = trace.Find({"fsync", "fdatasync"}, temporary);
  const auto closes = trace.Find({"close"}, temporary);
  const auto renames = trace.Find({"rename", "renameat", "renameat2"}, Path("new/" + names.front()));
  const auto folder_syncs = trace.Find({"fsync"}, Path("new"));
  ASSERT_THAT(writes, ::testing::Not(IsEmpty()));
  ASSERT_THAT(file_syncs, SizeIs(1));
  ASSERT_THAT(closes, SizeIs(1));
  ASSERT_THAT(renames, SizeIs(1));
  ASSERT_THAT(folder_syncs, ::testing::Not(IsEmpty()));
  EXPECT_LT(writes.back(), file_syncs.front());
  EXPECT_LT(file_syncs.front(), closes.front());
  EXPECT_LT(closes.front(), renames.front());
  EXPECT_LT(renames.front(), folder_syncs.back());
  EXPECT_EQ(trace.calls()[renames.front()].paths.front(), temporary);
}

TEST_F(PublishTraceTest, OpensTheTemporaryFileSafely) {
  const auto [end, trace] = PublishTraced();
  ASSERT_EQ(end.exit_code, 0);
  const auto opens = trace.Find({"openat"}, Path("tmp/" + NamesIn(volume_.queue_new()).front()));
  ASSERT_THAT(opens, SizeIs(1));
  const std::string& line = trace.calls()[opens.front()].line;
  for (const char* flag : {"O_CREAT", "O_EXCL", "O_CLOEXEC", "O_NOFOLLOW", "0660"})
    EXPECT_THAT(line, ::testing::HasSubstr(flag));
}

/// An injected failure of the n-th call of a kind, and the exit code of the publishing program. The first
/// fsync is that of `new` at the start, the second that of the file, the third that of `new` after the
/// rename.
struct InjectedFailure {
  const char* name;
  const char* inject;
  int exit_code;
  std::size_t published;
};

class PublishFailureTest : public PublishTraceTest, public ::testing::WithParamInterface<InjectedFailure> {};

TEST_P(PublishFailureTest, LeavesNoTemporaryFileAndNoTornOne) {
  const auto [end, trace] = PublishTraced(GetParam().inject);
  EXPECT_EQ(end.exit_code, GetParam().exit_code);
  EXPECT_THAT(NamesIn(volume_.queue_temporary()), IsEmpty());
  const auto listing = inbox_.List();
  EXPECT_THAT(listing->files, SizeIs(GetParam().published));
  for (const ListedFile& file : listing->files) EXPECT_TRUE(inbox_.Open(file.name));
}

INSTANTIATE_TEST_SUITE_P(OfTheKernel, PublishFailureTest,
                         ::testing::Values(InjectedFailure{"start", "fsync:error=EIO:when=1", 1, 0},
                                           InjectedFailure{"file_sync", "fsync:error=EIO:when=2", 1, 0},
                                           InjectedFailure{"folder_sync", "fsync:error=EIO:when=3", 4, 1},
                                           InjectedFailure{"rename", "renameat:error=ENOSPC", 1, 0},
                                           InjectedFailure{"write", "write:error=EDQUOT:when=2", 1, 0}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST_F(PublishTraceTest, NeverRepeatsAFailedSync) {
  const auto [end, trace] = PublishTraced("fsync:error=EIO:when=2");
  ASSERT_EQ(end.exit_code, 1);
  std::size_t syncs_of_files = 0;
  for (const auto& call : trace.calls()) {
    const bool of_file = call.name == "fsync" && call.paths.front().starts_with(Path("tmp/"));
    if (of_file) ++syncs_of_files;
  }
  EXPECT_EQ(syncs_of_files, 1U);
}

}  // namespace
}  // namespace heliograph::queue
