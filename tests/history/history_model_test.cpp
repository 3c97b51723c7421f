#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <nlohmann/json.hpp>

#include "common/capability_merge.h"
#include "ingestor/maintenance/cluster_retention.h"
#include "ingestor/maintenance/history_retention.h"
#include "server/clusters/cluster_moment.h"
#include "server/feed/change_reader.h"
#include "server/history/as_of.h"
#include "server/history/commit_reader.h"
#include "server/history/entity_history.h"
#include "server/http/problem.h"
#include "server/routes/capability_history.h"
#include "tests/history/applied_history.h"

namespace heliograph::testing {
namespace {

using ingestor::Outcome;

constexpr int kNodes = 6;
constexpr int kOperations = 40;

/// What everything is as of one commit.
using World = std::map<int, CapabilityState>;

/// Who is together with whom; those that are missing are in no cluster.
using Partition = std::set<std::set<int>>;
/// The runs of one collection by the commits that brought them.
using Pointers = std::map<std::int64_t, std::int64_t>;

constexpr std::array kCollections{ClusterCollection::kMesh, ClusterCollection::kItems};

/// A branch as a list of whole worlds.
struct ModelBranch {
  std::int64_t id = 1, base = 0;
  std::map<std::int64_t, World> worlds;        ///< by commit; for a branch beside main with the base first
  std::map<ClusterCollection, Pointers> runs;  ///< of the branch itself
  /// Where the last merge into main left both.
  std::int64_t merged_main = 0, merged_own = 0;
  std::set<int> written;  ///< nodes that the branch wrote itself since then

  const World& At(std::int64_t seq) const { return std::prev(worlds.upper_bound(seq))->second; }
  const World& Head() const { return worlds.rbegin()->second; }
  /// The branch's own run as of a commit; nothing when it had none.
  std::optional<std::int64_t> RunAt(ClusterCollection collection, std::int64_t seq) const {
    const auto own = runs.find(collection);
    if (own == runs.end()) return std::nullopt;
    const auto after = own->second.upper_bound(seq);
    return after == own->second.begin() ? std::nullopt : std::optional(std::prev(after)->second);
  }
};

/// History as one would write it without thinking of disks: a copy of the world for each commit.
struct Model {
  ModelBranch main;
  std::map<std::string, ModelBranch> branches;
  std::map<std::string, std::int64_t> pins;
  std::int64_t floor = 0, last_seq = 1;
  std::set<std::int64_t> commits_of_main{1};
  std::map<std::int64_t, std::string> streams;
  std::map<std::int64_t, Partition> partitions;  ///< by run

  std::optional<std::int64_t> RunSeen(const ModelBranch& branch, ClusterCollection collection,
                                      std::int64_t seq) const {
    const auto own = branch.RunAt(collection, seq);
    return own || branch.id == 1 ? own : main.RunAt(collection, std::min(seq, branch.base));
  }
  bool SaysTheSame(std::optional<std::int64_t> a, std::int64_t b) const {
    return a && partitions.at(*a) == partitions.at(b);
  }
};

/// What a merge does with one collection.
struct ModelMeeting {
  bool takes = false, conflict = false;
  std::int64_t branch_run = 0;
};

class Game {
 public:
  explicit Game(unsigned seed) : random_(seed), history_(kNodes) {
    model_.main.worlds[1] = {};
    model_.main.base = 0;
  }

  void Play() {
    for (int i = 0; i < kOperations; ++i) {
      Move();
      if (::testing::Test::HasFailure()) return;
      if (i % 5 == 4) Compare();
    }
    Compare();
    EXPECT_THAT(history_.BrokenRules(), ::testing::IsEmpty());
    CompareFeed();
  }

 private:
  std::size_t Pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }

  void Move() {
    switch (Pick(17)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return SnapshotOn(model_.main);
      case 4:
      case 5:
        return SnapshotOnSomeBranch();
      case 6:
        return Create();
      case 7:
        return Merge();
      case 8:
        return Revert();
      case 9:
        return Pin();
      case 10:
        return Delete();
      case 11:
      case 12:
        return GroupOn(model_.main);
      case 13:
      case 14:
        if (ModelBranch* branch = SomeBranch()) GroupOn(*branch);
        return;
      case 15:
        return history_.Restart();
      default:
        return Prune();
    }
  }

  CapabilityEntry RandomEntry(int node) {
    static constexpr std::array kEvidence{CapabilityEvidence::kPath, CapabilityEvidence::kRelay,
                                          CapabilityEvidence::kAdvert};
    const std::size_t kind = Pick(4);
    if (kind == 3) return Said(static_cast<std::uint8_t>(node), CapabilityStatus::kUnknown, std::nullopt);
    const auto status = kind == 0 ? CapabilityStatus::kSuspected : CapabilityStatus::kConfirmed;
    return Said(static_cast<std::uint8_t>(node), status, kEvidence[kind], static_cast<double>(Pick(5)) / 4);
  }

  void SnapshotOn(ModelBranch& branch) {
    std::vector<CapabilityEntry> entries;
    World world = branch.Head();
    std::set<int> written;
    for (int node = 1; node <= kNodes; ++node) {
      if (Pick(2) == 0) continue;
      entries.push_back(RandomEntry(node));
      const auto stored = world.find(node);
      const CapabilityState before = stored == world.end() ? CapabilityState{} : stored->second;
      const CapabilityState merged = heliograph::Merge(before, entries.back());
      if (merged == before) continue;
      world[node] = merged;
      written.insert(node);
    }
    const auto verdict = history_.Snapshot(entries, branch.id);
    ASSERT_EQ(verdict.outcome, written.empty() ? Outcome::kNoop : Outcome::kApplied) << verdict.reason;
    if (written.empty()) return;
    branch.written.insert(written.begin(), written.end());
    Commit(branch, verdict, std::move(world), "multibyte");
  }

  Partition RandomPartition() {
    std::array<std::set<int>, 3> groups;
    for (int node = 1; node <= kNodes; ++node) groups[Pick(groups.size())].insert(node);
    Partition partition(groups.begin() + 1, groups.end());
    partition.erase(std::set<int>{});
    return partition;
  }

  void GroupOn(ModelBranch& branch) {
    const ClusterCollection collection = kCollections[Pick(kCollections.size())];
    const auto active = model_.RunSeen(branch, collection, model_.last_seq);
    // Often what is known already, which may still settle what was in doubt.
    const Partition partition = active && Pick(3) == 0 ? model_.partitions.at(*active) : RandomPartition();
    std::vector<std::vector<int>> clusters;
    for (const std::set<int>& members : partition) clusters.emplace_back(members.begin(), members.end());
    const auto verdict = history_.Clusters(Grouped(clusters, kNodes, collection), branch.id);
    const bool known = active && model_.partitions.at(*active) == partition;
    if (verdict.outcome == Outcome::kNoop) {
      EXPECT_TRUE(known || clusters.empty()) << verdict.reason;
      return;
    }
    ASSERT_EQ(verdict.outcome, Outcome::kApplied) << verdict.reason;
    const std::int64_t run = nlohmann::json::parse(*verdict.result).at("run");
    model_.partitions[run] = partition;
    branch.runs[collection][static_cast<std::int64_t>(*verdict.commit)] = run;
    Commit(branch, verdict, World(branch.Head()), "clusters/" + std::string(Name(collection)));
  }

  /// The copies that a merge or a revert brought to main; returns their originals.
  std::set<std::int64_t> TakeCopies(const ingestor::Verdict& verdict) {
    std::set<std::int64_t> originals;
    const auto result = nlohmann::json::parse(*verdict.result);
    for (const auto& run : result.at("runs")) {
      const auto collection = ParseClusterCollection(run.at("collection").get<std::string>()).value();
      model_.partitions[run.at("run")] = model_.partitions.at(run.at("copy_of"));
      model_.main.runs[collection][static_cast<std::int64_t>(*verdict.commit)] = run.at("run");
      originals.insert(run.at("copy_of").get<std::int64_t>());
    }
    return originals;
  }

  void Commit(ModelBranch& branch, const ingestor::Verdict& verdict, World world, const std::string& stream) {
    const auto seq = static_cast<std::int64_t>(*verdict.commit);
    ASSERT_GT(seq, model_.last_seq);
    model_.last_seq = seq;
    branch.worlds[seq] = std::move(world);
    if (&branch != &model_.main) return;
    model_.commits_of_main.insert(seq);
    model_.streams[seq] = stream;
  }

  ModelBranch* SomeBranch(std::string* name = nullptr) {
    if (model_.branches.empty()) return nullptr;
    auto chosen =
        std::next(model_.branches.begin(), static_cast<std::ptrdiff_t>(Pick(model_.branches.size())));
    if (name != nullptr) *name = chosen->first;
    return &chosen->second;
  }

  void SnapshotOnSomeBranch() {
    if (ModelBranch* branch = SomeBranch()) SnapshotOn(*branch);
  }

  /// A commit of main, most often one that is kept.
  std::int64_t SomeCommitOfMain() {
    return *std::next(model_.commits_of_main.begin(),
                      static_cast<std::ptrdiff_t>(Pick(model_.commits_of_main.size())));
  }

  void Create() {
    const std::string name(1, static_cast<char>('a' + Pick(3)));
    const std::int64_t base = SomeCommitOfMain();
    const auto verdict = history_.Branch(R"({"action":"create","name":")" + name + R"(","from":"seq:)" +
                                         std::to_string(base) + "\"}");
    if (model_.branches.contains(name)) {
      EXPECT_EQ(verdict.outcome, Outcome::kConflict);
    } else if (base < model_.floor) {
      EXPECT_EQ(verdict.outcome, Outcome::kRejected);
    } else {
      ASSERT_EQ(verdict.outcome, Outcome::kDone) << verdict.reason;
      ModelBranch branch;
      branch.id = nlohmann::json::parse(*verdict.result).at("branch_id");
      branch.base = branch.merged_main = branch.merged_own = base;
      branch.worlds[base] = model_.main.At(base);
      model_.branches[name] = std::move(branch);
    }
  }

  static std::optional<CapabilityState> StateIn(const World& world, int node) {
    const auto found = world.find(node);
    return found == world.end() ? std::nullopt : std::optional(found->second);
  }

  ModelMeeting Meet(const ModelBranch& branch, ClusterCollection collection, bool side_of_branch) const {
    ModelMeeting meeting;
    const std::int64_t now = model_.last_seq;
    const auto own = branch.RunAt(collection, now), considered = branch.RunAt(collection, branch.merged_own);
    if (!own || own == considered) return meeting;
    const auto base = model_.main.RunAt(collection, branch.merged_main);
    const auto main = model_.main.RunAt(collection, now);
    for (const auto& known : {considered, base, main})
      if (model_.SaysTheSame(known, *own)) return meeting;
    meeting.branch_run = *own;
    meeting.conflict = base != main;
    meeting.takes = !meeting.conflict || side_of_branch;
    return meeting;
  }

  void Merge() {
    std::string name;
    ModelBranch* branch = SomeBranch(&name);
    if (branch == nullptr) return;
    const std::size_t side = Pick(3);
    const char* sides[] = {"", R"(,"side":"main")", R"(,"side":"branch")"};
    World world = model_.main.Head();
    const World &own = branch->Head(), &common = model_.main.At(branch->merged_main);
    bool conflict = false, changed = false;
    for (const int node : branch->written) {
      const auto on_branch = StateIn(own, node), on_main = StateIn(model_.main.Head(), node);
      if (on_branch == on_main || on_branch == StateIn(common, node)) continue;
      const bool both = on_main != StateIn(common, node);
      conflict = conflict || both;
      if (both && side != 2) continue;
      world[node] = *on_branch;
      changed = true;
    }
    std::set<std::string> streams;
    std::set<std::int64_t> originals;
    if (conflict || changed) streams.insert("multibyte");
    for (const ClusterCollection collection : kCollections) {
      const ModelMeeting meeting = Meet(*branch, collection, side == 2);
      if (meeting.takes || meeting.conflict) streams.insert("clusters/" + std::string(Name(collection)));
      if (meeting.takes) originals.insert(meeting.branch_run);
      conflict = conflict || meeting.conflict;
      changed = changed || meeting.takes;
    }
    const auto verdict = history_.Branch(R"({"action":"merge","name":")" + name + "\"" + sides[side] + "}");
    if (branch->merged_main < model_.floor) {
      EXPECT_EQ(verdict.outcome, Outcome::kRejected);
    } else if (conflict && side == 0) {
      EXPECT_EQ(verdict.outcome, Outcome::kConflict);
    } else if (!changed && !conflict) {
      EXPECT_EQ(verdict.outcome, Outcome::kNoop);
    } else {
      ASSERT_EQ(verdict.outcome, Outcome::kApplied) << verdict.reason;
      EXPECT_EQ(TakeCopies(verdict), originals);
      Commit(model_.main, verdict, std::move(world), streams.size() == 1 ? *streams.begin() : "");
      branch->merged_main = model_.last_seq;
      branch->merged_own = branch->worlds.rbegin()->first;
      branch->written.clear();
    }
  }

  void Delete() {
    std::string name;
    if (SomeBranch(&name) == nullptr) return;
    EXPECT_EQ(history_.Branch(R"({"action":"delete","name":")" + name + "\"}").outcome, Outcome::kDone);
    model_.branches.erase(name);
  }

  void Revert() {
    const std::int64_t seq = SomeCommitOfMain();
    const auto verdict = history_.Revert("seq:" + std::to_string(seq));
    const auto place = model_.commits_of_main.find(seq);
    if (seq < model_.floor || place == model_.commits_of_main.begin() || *std::prev(place) < model_.floor) {
      EXPECT_EQ(verdict.outcome, Outcome::kRejected);
      return;
    }
    const World &before = model_.main.At(*std::prev(place)), &after = model_.main.At(seq),
                &now = model_.main.Head();
    World world = now;
    bool conflict = false, first = false, changed = false;
    for (const ClusterCollection collection : kCollections) {
      const auto& runs = model_.main.runs[collection];
      const auto brought = runs.find(seq);
      if (brought == runs.end()) continue;
      changed = true;
      if (std::next(brought) != runs.end()) {
        conflict = true;
      } else if (brought == runs.begin()) {
        first = true;
      }
    }
    for (int node = 1; node <= kNodes; ++node) {
      if (StateIn(before, node) == StateIn(after, node)) continue;
      changed = true;
      conflict = conflict || StateIn(now, node) != StateIn(after, node);
      world.erase(node);
      if (const auto state = StateIn(before, node)) world[node] = *state;
    }
    // Of two collections the one that is looked at first may say so.
    if (conflict && first && verdict.outcome == Outcome::kRejected) return;
    if (conflict || first || !changed) {
      EXPECT_EQ(verdict.outcome, conflict ? Outcome::kConflict : Outcome::kRejected) << verdict.reason;
      return;
    }
    ASSERT_EQ(verdict.outcome, Outcome::kApplied) << verdict.reason;
    TakeCopies(verdict);
    Commit(model_.main, verdict, std::move(world), model_.streams[seq]);
  }

  void Pin() {
    const std::string name(1, static_cast<char>('p' + Pick(2)));
    if (model_.pins.contains(name)) {
      EXPECT_EQ(history_.Pin(R"({"action":"remove","name":")" + name + "\"}").outcome, Outcome::kDone);
      model_.pins.erase(name);
      return;
    }
    const std::int64_t seq = SomeCommitOfMain();
    const auto verdict = history_.Pin(R"({"action":"set","name":")" + name + R"(","commit":"seq:)" +
                                      std::to_string(seq) + "\"}");
    EXPECT_EQ(verdict.outcome, seq < model_.floor ? Outcome::kRejected : Outcome::kDone);
    if (seq >= model_.floor) model_.pins[name] = seq;
  }

  void Prune() {
    ingestor::RetentionRules rules;
    rules.history_days = 1;
    rules.history_commits = static_cast<int>(3 + Pick(10));
    history_.Wait(std::chrono::hours(48));
    while (PruneHistory(history_.store(), rules, history_.now()) == ingestor::StepOutcome::kMore) {
    }
    while (PruneClusterRuns(history_.store(), history_.now()) == ingestor::StepOutcome::kMore) {
    }
    std::vector<std::int64_t> of_capability;
    for (const auto& [seq, stream] : model_.streams)
      if (stream == "multibyte") of_capability.push_back(seq);
    std::int64_t wanted = *model_.commits_of_main.rbegin();
    const auto kept = static_cast<std::size_t>(rules.history_commits);
    if (!of_capability.empty())
      wanted = std::min(wanted, of_capability[of_capability.size() > kept ? of_capability.size() - kept : 0]);
    for (const auto& [name, branch] : model_.branches) wanted = std::min(wanted, branch.base);
    for (const auto& [name, seq] : model_.pins) wanted = std::min(wanted, seq);
    if (model_.commits_of_main.size() > 1 && wanted == *std::next(model_.commits_of_main.begin())) wanted = 1;
    model_.floor = std::max(model_.floor, wanted);
    EXPECT_EQ(history_.Ask("SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor'"),
              model_.floor);
  }

  // Reading -----------------------------------------------------------------------------------------------

  static std::string Shown(const CapabilityState& state) {
    return std::string(Name(state.status)) + "/" +
           (state.evidence ? std::string(Name(*state.evidence)) : "-") + "/" +
           (state.probability ? std::to_string(*state.probability) : "-") + (state.adopted ? "/adopted" : "");
  }
  static std::string Shown(const server::NodeCapability& node) {
    CapabilityState state;
    state.status = node.status;
    state.evidence = node.evidence;
    state.adopted = node.adopted;
    if (node.probability) state.probability = static_cast<int>(std::lround(*node.probability * 100));
    return Shown(state);
  }
  static std::string ShownJson(const std::string& text) {
    const auto json = nlohmann::json::parse(text);
    return json.at("status").get<std::string>() + "/" +
           (json.at("evidence").is_null() ? "-" : json.at("evidence").get<std::string>()) + "/" +
           (json.at("probability").is_null()
                ? "-"
                : std::to_string(std::lround(json.at("probability").get<double>() * 100))) +
           (json.at("adopted").get<bool>() ? "/adopted" : "");
  }

  void Compare() {
    history_.Read([&](server::ReaderConnection& reader) {
      CompareLine(reader, server::BranchNamed(reader, "main"), model_.main);
      for (const auto& [name, branch] : model_.branches)
        CompareLine(reader, server::BranchNamed(reader, name), branch);
    });
  }

  void CompareLine(server::ReaderConnection& reader, const server::BranchLine& line,
                   const ModelBranch& branch) {
    std::set<std::int64_t> seqs;
    for (const auto& [seq, world] : branch.worlds) seqs.insert(seq);
    for (const std::int64_t seq : model_.commits_of_main) {
      if (seq <= branch.base) seqs.insert(seq);
    }
    for (const std::int64_t seq : seqs) {
      const std::string as_of = "seq:" + std::to_string(seq);
      if (seq < model_.floor) {
        EXPECT_THROW(server::ResolveAsOf(reader, as_of, line), server::ProblemError);
        continue;
      }
      ASSERT_EQ(server::ResolveAsOf(reader, as_of, line).seq, seq);
      CompareWorld(reader, line, seq, seq < branch.base ? model_.main.At(seq) : branch.At(seq));
      CompareRuns(reader, line, branch, seq);
    }
    for (const ClusterCollection collection : kCollections) {
      const auto run = server::ActiveRun(reader, {line.branch_id, branch.base, std::nullopt}, collection);
      EXPECT_EQ(run, model_.RunSeen(branch, collection, model_.last_seq)) << "now, on " << line.name;
      EXPECT_TRUE(!run || IsWhole(*run)) << "the active run of " << line.name;
    }
    if (branch.id == 1) {
      for (const auto& [name, seq] : model_.pins) ExpectWholeRuns(branch, seq);
    } else {
      ExpectWholeRuns(branch, branch.base);
    }
    for (auto seq = branch.worlds.rbegin(); seq != branch.worlds.rend(); ++seq) {
      if (std::next(seq) == branch.worlds.rend() || std::next(seq)->first < model_.floor) break;
      CompareChanges(reader, line, seq->first, std::next(seq)->second, seq->second);
    }
  }

  bool IsWhole(std::int64_t run) {
    return history_.Ask("SELECT pruned_at IS NULL FROM cluster_runs WHERE run_id = " + std::to_string(run)) !=
           0;
  }

  void ExpectWholeRuns(const ModelBranch& branch, std::int64_t seq) {
    for (const ClusterCollection collection : kCollections) {
      const auto run = model_.RunSeen(branch, collection, seq);
      EXPECT_TRUE(!run || IsWhole(*run)) << "as of " << seq;
    }
  }

  void CompareRuns(server::ReaderConnection& reader, const server::BranchLine& line,
                   const ModelBranch& branch, std::int64_t seq) {
    for (const ClusterCollection collection : kCollections) {
      const auto run = server::ActiveRun(reader, {line.branch_id, branch.base, seq}, collection);
      const auto expected = model_.RunSeen(branch, collection, seq);
      ASSERT_EQ(run, expected) << line.name << " as of " << seq;
      if (!run || !IsWhole(*run)) continue;
      EXPECT_EQ(PartitionOf(*run, collection), model_.partitions.at(*run)) << "run " << *run;
    }
  }

  Partition PartitionOf(std::int64_t run, ClusterCollection collection) {
    SQLite::Statement rows(
        history_.store().database(),
        collection == ClusterCollection::kMesh
            ? "SELECT ordinal, public_key FROM cluster_members JOIN identity ON key = member_key WHERE"
              " run_id = ? AND ordinal IS NOT NULL"
            : "SELECT ordinal, substr(item_id, 6) FROM cluster_members JOIN item_identity ON key = member_key"
              " WHERE run_id = ? AND ordinal IS NOT NULL");
    rows.bind(1, run);
    std::map<std::int64_t, std::set<int>> clusters;
    while (rows.executeStep()) {
      const std::string member = rows.getColumn(1).getString();
      clusters[rows.getColumn(0).getInt64()].insert(
          collection == ClusterCollection::kMesh ? static_cast<int>(member.front()) : std::stoi(member));
    }
    Partition partition;
    for (const auto& [ordinal, members] : clusters) partition.insert(members);
    return partition;
  }

  void CompareWorld(server::ReaderConnection& reader, const server::BranchLine& line, std::int64_t seq,
                    const World& world) {
    std::map<std::string, std::string> expected, found;
    for (const auto& [node, state] : world)
      expected[NodeOf(static_cast<std::uint8_t>(node)).ToHex()] = Shown(state);
    for (const auto& dated : server::CapabilitiesAt(reader, line, seq))
      found[dated.public_key.ToHex()] = Shown(dated.capability);
    EXPECT_EQ(found, expected) << line.name << " as of " << seq;
    const server::EntityKind& kind = *server::FindEntityKind("node");
    for (int node = 1; node <= kNodes; ++node) {
      const std::string id = NodeOf(static_cast<std::uint8_t>(node)).ToHex();
      const auto state = server::StateAt(reader, kind, *kind.key_of(id), line, seq);
      EXPECT_EQ(state ? ShownJson(*state) : "none", expected.contains(id) ? expected[id] : "none")
          << id << " on " << line.name << " as of " << seq;
    }
  }

  void CompareChanges(server::ReaderConnection& reader, const server::BranchLine& line, std::int64_t seq,
                      const World& before, const World& after) {
    std::map<std::string, std::string> expected, found;
    for (int node = 1; node <= kNodes; ++node) {
      const auto was = StateIn(before, node), is = StateIn(after, node);
      if (was != is)
        expected[NodeOf(static_cast<std::uint8_t>(node)).ToHex()] =
            (was ? Shown(*was) : "none") + " > " + (is ? Shown(*is) : "none");
    }
    for (const auto& change : server::ChangesOf(reader, line, seq, std::nullopt, 100)) {
      if (change.kind->name != "node") continue;
      found[change.id] = (change.before ? ShownJson(*change.before) : "none") + " > " +
                         (change.after ? ShownJson(*change.after) : "none");
    }
    EXPECT_EQ(found, expected) << "changes of " << seq;
  }

  void CompareFeed() {
    history_.Read([&](server::ReaderConnection& reader) {
      std::int64_t last = 0;
      for (const auto& entry : server::ReadChanges(reader, 0, 100'000)) {
        EXPECT_EQ(entry.seq, last + 1);
        last = entry.seq;
      }
      EXPECT_EQ(last, server::ReadChangeBounds(reader).head);
    });
  }

  std::mt19937 random_;
  AppliedHistory history_;
  Model model_;
};

unsigned Seeds() {
  const char* text = std::getenv("HELIOGRAPH_MODEL_SEEDS");
  return text == nullptr ? 40U : static_cast<unsigned>(std::stoul(text));
}

TEST(HistoryModelTest, ReadsAsANaiveModelDoesWhateverHappens) {
  for (unsigned seed = 1; seed <= Seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Game(seed).Play();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace heliograph::testing
