#include "common/failpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace heliograph {
namespace {

constexpr std::array<std::pair<Failpoint, std::string_view>, 38> kNames{{
    {Failpoint::kPublishBeforeTemporary, "publish_before_temporary"},
    {Failpoint::kPublishHalfWritten, "publish_half_written"},
    {Failpoint::kPublishBeforeFileSync, "publish_before_file_sync"},
    {Failpoint::kPublishAfterFileSync, "publish_after_file_sync"},
    {Failpoint::kPublishAfterRename, "publish_after_rename"},
    {Failpoint::kPublishAfterFolderSync, "publish_after_folder_sync"},
    {Failpoint::kIngestorOpened, "ingestor_opened"},
    {Failpoint::kMigrationMiddle, "migration_middle"},
    {Failpoint::kPacketsBeforeCommit, "packets_before_commit"},
    {Failpoint::kPacketsAfterCommit, "packets_after_commit"},
    {Failpoint::kApplyAfterRead, "apply_after_read"},
    {Failpoint::kApplyAfterBegin, "apply_after_begin"},
    {Failpoint::kApplyAfterCommitRow, "apply_after_commit_row"},
    {Failpoint::kApplyMiddleOfRows, "apply_middle_of_rows"},
    {Failpoint::kApplyAfterHeadMove, "apply_after_head_move"},
    {Failpoint::kApplyBeforeLedger, "apply_before_ledger"},
    {Failpoint::kApplyBeforeCommit, "apply_before_commit"},
    {Failpoint::kApplyAfterCommit, "apply_after_commit"},
    {Failpoint::kApplyDuplicateBeforeUnlink, "apply_duplicate_before_unlink"},
    {Failpoint::kApplyAfterUnlink, "apply_after_unlink"},
    {Failpoint::kRefuseBeforeCommit, "refuse_before_commit"},
    {Failpoint::kRefuseAfterCommit, "refuse_after_commit"},
    {Failpoint::kRefuseAfterQuarantine, "refuse_after_quarantine"},
    {Failpoint::kClusterStaging, "cluster_staging"},
    {Failpoint::kClusterStaged, "cluster_staged"},
    {Failpoint::kClusterMatched, "cluster_matched"},
    {Failpoint::kClusterMiddleOfDecisions, "cluster_middle_of_decisions"},
    {Failpoint::kClusterBeforeFlip, "cluster_before_flip"},
    {Failpoint::kClusterAfterFlip, "cluster_after_flip"},
    {Failpoint::kRetentionAfterFloor, "retention_after_floor"},
    {Failpoint::kRetentionMiddleOfBatch, "retention_middle_of_batch"},
    {Failpoint::kBranchAfterInsert, "branch_after_insert"},
    {Failpoint::kBranchAfterDeleteFlip, "branch_after_delete_flip"},
    {Failpoint::kBranchMergeRun, "branch_merge_run"},
    {Failpoint::kBranchMergeMiddle, "branch_merge_middle"},
    {Failpoint::kPinAfterWrite, "pin_after_write"},
    {Failpoint::kRevertRun, "revert_run"},
    {Failpoint::kRevertMiddle, "revert_middle"},
}};

enum class Action { kKill, kError };

struct Order {
  Failpoint point;
  unsigned hit;
  Action action;
};

Failpoint PointNamed(std::string_view name) {
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.second == name; });
  // A misspelt point would silently never fire.
  if (found == kNames.end()) throw std::invalid_argument("no failpoint is named " + std::string(name));
  return found->first;
}

Order ParseOrder(std::string_view text) {
  const auto first = text.find(':');
  const auto last = text.rfind(':');
  if (first == std::string_view::npos)
    throw std::invalid_argument("a failpoint needs an action: name[:hit]:kill|error");
  Order order{PointNamed(text.substr(0, first)), 1, Action::kKill};
  if (last != first) {
    const std::string_view hit = text.substr(first + 1, last - first - 1);
    if (std::from_chars(hit.data(), hit.data() + hit.size(), order.hit).ec != std::errc{})
      throw std::invalid_argument("a failpoint's hit is a number");
  }
  const std::string_view action = text.substr(last + 1);
  if (action == "error") {
    order.action = Action::kError;
  } else if (action != "kill") {
    throw std::invalid_argument("a failpoint's action is kill or error");
  }
  return order;
}

std::vector<Order> OrdersFromEnvironment() {
  std::vector<Order> orders;
  const char* text = std::getenv("HELIOGRAPH_FAILPOINT_AT");
  std::string_view rest = text != nullptr ? text : "";
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    orders.push_back(ParseOrder(rest.substr(0, comma)));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return orders;
}

void AppendToLog(std::string_view name) {
  const char* path = std::getenv("HELIOGRAPH_FAILPOINT_LOG");
  if (path == nullptr) return;
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  const std::string line = std::string(name) + '\n';
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

}  // namespace

std::string_view Name(Failpoint point) {
  for (const auto& [candidate, name] : kNames) {
    if (candidate == point) return name;
  }
  return "";
}

std::span<const Failpoint> AllFailpoints() {
  static const auto points = [] {
    std::array<Failpoint, kNames.size()> all{};
    std::transform(kNames.begin(), kNames.end(), all.begin(), [](const auto& entry) { return entry.first; });
    return all;
  }();
  return points;
}

void PassFailpoint(Failpoint point) {
  static const std::vector<Order> orders = OrdersFromEnvironment();
  static std::array<std::atomic<unsigned>, kNames.size()> passes{};
  const unsigned pass = ++passes[static_cast<std::size_t>(point)];
  AppendToLog(Name(point));
  for (const Order& order : orders) {
    if (order.point != point || order.hit != pass) continue;
    if (order.action == Action::kKill) ::raise(SIGKILL);
    throw std::system_error(EIO, std::generic_category(), "failpoint " + std::string(Name(point)));
  }
}

}  // namespace heliograph
