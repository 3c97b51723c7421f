#include "tests/support/syscall_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SyscallTrace, KnowsThePathsOfDescriptorsAndNames) {
  const auto trace = SyscallTrace::Parse(
      "7 openat(5</q/tmp>, \"f\", O_WRONLY|O_CREAT, 0660) = 6</q/tmp/f>\n"
      "7 write(6</q/tmp/f>, \"a \\\"b\\\" <c> = 5\"..., 99) = 99\n"
      "7 renameat(5</q/tmp>, \"f\", 4</q/new>, \"f\") = 0\n"
      "7 unlink(\"/q/new/f\") = 0\n"
      "7 +++ exited with 0 +++\n");
  ASSERT_THAT(trace.calls(), SizeIs(4));
  EXPECT_THAT(trace.calls()[0].paths, ElementsAre("/q/tmp/f"));
  EXPECT_EQ(trace.calls()[0].result, 6);
  EXPECT_THAT(trace.calls()[1].paths, ElementsAre("/q/tmp/f"));
  EXPECT_THAT(trace.calls()[2].paths, ElementsAre("/q/tmp/f", "/q/new/f"));
  EXPECT_THAT(trace.calls()[3].paths, ElementsAre("/q/new/f"));
}

TEST(SyscallTrace, CountsAnInterruptedCallFromItsEnd) {
  const auto trace = SyscallTrace::Parse(
      "7 fdatasync(3</db-wal> <unfinished ...>\n"
      "8 write(4</log>, \"x\", 1) = 1\n"
      "7 <... fdatasync resumed>) = 0\n");
  EXPECT_THAT(trace.Find({"write"}, "/log"), ElementsAre(0));
  EXPECT_THAT(trace.Find({"fdatasync"}, "-wal"), ElementsAre(1));
  EXPECT_EQ(trace.calls()[1].process, 7);
}

TEST(SyscallTrace, DoesNotFindWhatFailed) {
  const auto trace = SyscallTrace::Parse("7 fsync(3</q/new>) = -1 EIO (Input/output error) (INJECTED)\n");
  ASSERT_THAT(trace.calls(), SizeIs(1));
  EXPECT_THAT(trace.Find({"fsync"}, "/q/new"), IsEmpty());
}

}  // namespace
}  // namespace heliograph::testing
