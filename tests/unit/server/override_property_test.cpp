#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/cluster_override.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/staged_file.h"
#include "server/analytics/clusters/partition.h"
#include "server/clusters/cluster_reader.h"
#include "server/clusters/constraint_reader.h"
#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::server {
namespace {

using Action = OverrideAction;
using ingestor::ApplyContext;
using ingestor::Outcome;
using Keys = std::vector<std::string>;

constexpr int kNodes = 60;
constexpr int kRuns = 200;
constexpr auto kMesh = ClusterCollection::kMesh;

std::string NodeKey(int node) {
  return ingestor::KeyOf(static_cast<std::uint8_t>(node + 1)).ToHex();
}

/// Draws that are the same with every library.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}
  int Below(int most) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(most)); }
  bool OneIn(int times) { return Below(times) == 0; }
  template <class List>
  const auto& From(const List& list) {
    return *std::next(list.begin(), Below(static_cast<int>(list.size())));
  }

 private:
  std::mt19937_64 engine_;
};

/// Nodes in groups that drift: they wander, groups part and join, nodes fall silent and come back.
class DriftingNodes {
 public:
  explicit DriftingNodes(std::uint64_t seed) : draws_(seed) {
    for (int node = 0; node < kNodes; ++node) group_of_[node] = node % 7;
  }

  void Drift() {
    for (int moves = draws_.Below(4); moves > 0; --moves)
      group_of_[draws_.Below(kNodes)] = draws_.Below(kGroups);
    const int from = draws_.Below(kGroups), into = draws_.Below(kGroups);
    const bool all = draws_.OneIn(14), half = draws_.OneIn(14);
    for (auto& [node, group] : group_of_) {
      if (group == from && (all || (half && node % 2 == 0))) group = into;
      if (draws_.OneIn(80)) group = group == kSilent ? draws_.Below(kGroups) : kSilent;
    }
  }

  /// The groups as clusters of a run that knows of no corrections.
  ClusterSnapshot AsRun() const {
    std::map<int, Keys> groups;
    for (const auto& [node, group] : group_of_)
      if (group != kSilent) groups[group].push_back(NodeKey(node));
    ClusterSnapshot run = Empty();
    for (const auto& [group, keys] : groups) {
      if (keys.size() < 3) {
        run.unclustered.insert(run.unclustered.end(), keys.begin(), keys.end());
        continue;
      }
      Add(run, keys);
    }
    return run;
  }

  /// The clusters that the partition finds among them under the corrections.
  ClusterSnapshot AsRun(const PartitionConstraints& constraints) {
    Keys keys;
    std::vector<int> groups;
    for (const auto& [node, group] : group_of_) {
      if (group == kSilent) continue;
      keys.push_back(NodeKey(node));
      groups.push_back(group);
    }
    std::vector<WeightedEdge> edges;
    for (Vertex a = 0; a < keys.size(); ++a)
      for (Vertex b = a + 1; b < keys.size(); ++b)
        if (groups[a] == groups[b] ? !draws_.OneIn(3) : draws_.OneIn(40)) edges.push_back({a, b, 1});
    const ItemGraph graph = ItemGraph::Build(keys, edges).value();
    const Partition found = DivideUnder(constraints, graph, {.runs = 2}, former_, {}).value();
    former_.clear();
    ClusterSnapshot run = Empty();
    for (const Cluster& cluster : found.clusters) {
      Keys members;
      for (const ClusterMember& member : cluster.members) members.push_back(graph.keys()[member.vertex]);
      Add(run, members);
      former_.push_back(members);
    }
    for (const Vertex vertex : found.unclustered) run.unclustered.push_back(graph.keys()[vertex]);
    return run;
  }

 private:
  static constexpr int kSilent = -1, kGroups = 8;

  static ClusterSnapshot Empty() {
    ClusterSnapshot run;
    run.algorithm = "test/1";
    return run;
  }
  static void Add(ClusterSnapshot& run, const Keys& keys) {
    SnapshotCluster& cluster = run.clusters.emplace_back();
    for (const std::string& key : keys) cluster.members.push_back({key, 0.5});
    cluster.representative = keys.front();
    cluster.label = "Around " + keys.front().substr(0, 2);
  }

  Draws draws_;
  std::map<int, int> group_of_;
  FormerGroups former_;
};

/// A correction that was applied.
struct Said {
  std::string id;
  Action action{};
  std::int64_t track = 0, other = 0, commit = 0;
  Keys members;
  std::string title;
};

/// What a reader sees of a track.
struct Seen {
  std::string id, title, slug, status;
  bool title_pinned = false, merge_is_settled = false;
  std::int64_t root = 0, merged_into = 0, size = 0;
  std::set<std::string> members;

  /// True when no person could tell the two apart: what has no cluster may end or not.
  bool LooksLike(const Seen& other) const {
    const auto away = [](const std::string& s) { return s == "ended" ? std::string("dormant") : s; };
    return std::tie(title, slug, title_pinned, root, members) ==
               std::tie(other.title, other.slug, other.title_pinned, other.root, other.members) &&
           away(status) == away(other.status);
  }
};

/// A database that runs and corrections come to through the ingestor's appliers, seen through the server's
/// readers.
class World : public ingestor::StoreTest {
 public:
  explicit World(std::uint64_t seed) : draws_(seed), nodes_(seed + 1), readers_(folder_ / "h.db") {
    store_->database().exec("PRAGMA synchronous=OFF");  // no power fails here
    ingestor::StoreTransaction transaction(*store_);
    for (int node = 0; node < kNodes; ++node)
      store_->Take(ingestor::Prepared(
          ingestor::HeardAdvert(static_cast<std::uint8_t>(node + 1), "node " + std::to_string(node), 100)));
    transaction.Commit();
  }
  void TestBody() override {}

  void Live(bool restarts);
  /// What the tracks and decisions came to, without what is random in them.
  std::string Outcome() {
    return Text(
        "SELECT group_concat(line, char(10)) FROM (SELECT track_key || slug || title || status ||"
        " coalesce(merged_into, '') || from_seq || coalesce(to_seq, '') AS line FROM cluster_track_states "
        "UNION"
        " ALL SELECT decision_id || class || track_key || reason FROM cluster_merge_decisions)");
  }
  int applied = 0, conflicts = 0, refused = 0, blocked = 0, computed_blocked = 0;

 private:
  void Run();
  void Correct();
  ClusterOverride AnyCorrection();
  std::optional<Said> Apply(const ClusterOverride& request, std::int64_t base);
  ingestor::Verdict Apply(queue::QueueFile file);
  queue::QueueFile File(queue::Kind kind, std::string payload, std::int64_t base);
  std::int64_t Head() { return Number("SELECT head_seq FROM branch WHERE branch_id=1"); }
  std::int64_t Number(const std::string& sql) { return store_->database().execAndGet(sql).getInt64(); }
  std::map<std::int64_t, Seen> Look();
  std::string Names(std::int64_t track) { return seen_.at(track).id; }

  void Expect();
  void ExpectMembers();
  void ExpectTracks();
  void ExpectListed();
  void ExpectNames();
  void ExpectUndoRestores();
  std::int64_t RootOf(std::int64_t track) { return seen_.at(track).root; }
  const Said* Last(const std::function<bool(const Said&)>& which) const {
    const auto found = std::find_if(said_.rbegin(), said_.rend(), which);
    return found != said_.rend() ? &*found : nullptr;
  }

  Draws draws_;
  DriftingNodes nodes_;
  ReaderPool readers_;
  ingestor::ClusterBooks books_;
  std::function<ingestor::Prepared(const ingestor::Receipt&)> prepare_;
  std::int64_t files_ = 0, looks_ = 0;
  std::vector<Said> said_;                        ///< in force, in their order
  std::map<std::int64_t, std::int64_t> touched_;  ///< by track: the newest commit that corrected it
  std::map<std::int64_t, std::int64_t> settled_;  ///< tracks that a run merged for good
  std::map<std::string, std::int64_t> names_;     ///< every id and slug that there ever was
  std::map<std::int64_t, Seen> seen_;
};

queue::QueueFile World::File(queue::Kind kind, std::string payload, std::int64_t base) {
  queue::QueueFile file;
  file.envelope.kind = kind;
  file.envelope.stream = "story";
  file.envelope.created_at = ingestor::kNoon + std::chrono::seconds(++files_);
  std::array<std::uint8_t, Ulid::kRandomSize> random{};
  random.back() = static_cast<std::uint8_t>(files_ % 256);
  random.front() = static_cast<std::uint8_t>(files_ / 256);
  file.envelope.id = Ulid::FromParts(file.envelope.created_at, random);
  file.envelope.epoch = store_->epoch();
  file.envelope.base_commit_seq = base;
  file.envelope.producer_seq = files_;
  file.envelope.instance = "server";
  file.envelope.actor = "story";
  file.payload = std::move(payload);
  return file;
}

ingestor::Verdict World::Apply(queue::QueueFile file) {
  std::optional<ingestor::StagedFile> staged;
  if (file.envelope.kind == queue::Kind::kClusterSnapshot) {
    staged.emplace("story", file, *store_);
    while (!staged->Step(*store_, books_)) {
    }
  }
  ingestor::StoreTransaction transaction(*store_);
  const ApplyContext context{*store_, file.envelope.created_at,   std::nullopt, prepare_,
                             &books_, staged ? &*staged : nullptr};
  const auto verdict = staged ? ApplyClusterSnapshot(context, file) : ApplyOverride(context, file);
  store_->ledger().Record(file.envelope.id.ToText(), file.envelope, verdict, file.envelope.created_at,
                          "boot");
  transaction.Commit();
  return verdict;
}

void World::Run() {
  nodes_.Drift();
  const bool computed = draws_.OneIn(2);
  const auto constraints =
      readers_.Read([](ReaderConnection& reader) { return ConstraintsAt(reader, ClusterMoment(), kMesh); });
  ClusterSnapshot run = computed ? nodes_.AsRun(constraints) : nodes_.AsRun();
  if (run.clusters.empty()) return;
  run.data_time = ingestor::kNoon + std::chrono::minutes(15 * files_);
  const auto verdict = Apply(File(queue::Kind::kClusterSnapshot, EncodeClusterSnapshot(run), Head()));
  ASSERT_TRUE(verdict.outcome == Outcome::kApplied || verdict.outcome == Outcome::kNoop) << verdict.reason;
  if (verdict.outcome == Outcome::kNoop) return;
  const int kept_out = nlohmann::json::parse(*verdict.result).at("blocked");
  (computed ? computed_blocked : blocked) += kept_out;
}

ClusterOverride World::AnyCorrection() {
  ClusterOverride request;
  std::vector<std::int64_t> tracks;  // mostly those that have members
  for (const auto& [key, seen] : seen_)
    if (!seen.members.empty() || draws_.OneIn(15)) tracks.push_back(key);
  const std::int64_t track = draws_.From(tracks);
  const Seen& seen = seen_.at(track);
  request.cluster = draws_.OneIn(2) ? seen.id : seen.slug;
  request.reason = "why not";
  request.action = static_cast<Action>(draws_.Below(8));
  std::set<std::string> members;
  switch (request.action) {
    case Action::kRename:
      request.title = "Title " + std::to_string(draws_.Below(9));
      break;
    case Action::kExclude:
    case Action::kSplit:
      for (int n = 1 + draws_.Below(4); n > 0 && !seen.members.empty(); --n)
        members.insert(draws_.From(seen.members));
      if (members.empty()) members.insert(NodeKey(1));
      if (request.action == Action::kSplit && draws_.OneIn(2)) request.title = "Part";
      break;
    case Action::kInclude:
      for (int n = 1 + draws_.Below(3); n > 0; --n) members.insert(NodeKey(draws_.Below(kNodes)));
      break;
    case Action::kMerge:
      request.other = seen_.at(draws_.From(tracks)).id;
      break;
    case Action::kClose:
    case Action::kReopen:
      break;
    case Action::kUndo:
      request.cluster.clear();
      request.undoes = said_.empty() ? Ulid() : *Ulid::Parse(draws_.From(said_).id);
      break;
  }
  request.members.assign(members.begin(), members.end());
  return request;
}

std::optional<Said> World::Apply(const ClusterOverride& request, std::int64_t base) {
  const auto file = File(queue::Kind::kOverride, EncodeClusterOverride(request), base);
  const std::int64_t before = Head();
  const auto verdict = Apply(file);
  if (verdict.outcome != Outcome::kApplied) {
    EXPECT_EQ(Head(), before) << verdict.reason;
    ++(verdict.outcome == Outcome::kConflict ? conflicts : refused);
    return std::nullopt;
  }
  ++applied;
  Said said;
  said.id = file.envelope.id.ToText();
  const std::string row = " FROM cluster_overrides WHERE override_id='" + said.id + "'";
  said.action = request.action;
  said.track = Number("SELECT track_key" + row);
  said.other = Number("SELECT coalesce(other_track_key, 0)" + row);
  said.commit = Number("SELECT from_seq" + row);
  said.members = request.members;
  said.title = request.title;
  for (const std::int64_t track : {said.track, said.other}) {
    if (track == 0) continue;
    EXPECT_LE(touched_[track], base) << "an old state was taken for the present one";
    touched_[track] = said.commit;
  }
  if (request.action == Action::kUndo) {
    std::erase_if(said_, [&](const Said& other) { return other.id == request.undoes->ToText(); });
  } else {
    said_.push_back(said);
  }
  return said;
}

void World::Correct() {
  seen_ = Look();
  const std::int64_t head = Head();
  const ClusterOverride request = AnyCorrection();
  const auto said = Apply(request, draws_.OneIn(5) ? head - draws_.Below(4) : head);
  if (!said || request.action == Action::kUndo || !draws_.OneIn(3)) return;
  const auto before = seen_;
  ClusterOverride undo;
  undo.action = Action::kUndo;
  undo.undoes = Ulid::Parse(said->id);
  ASSERT_TRUE(Apply(undo, Head()));
  const auto after = Look();
  for (const auto& [track, seen] : before)
    EXPECT_TRUE(seen.LooksLike(after.at(track)))
        << Name(request.action) << " of " << seen.id << ' ' << seen.title << ": after the undo "
        << after.at(track).status << " for " << seen.status << ", root " << after.at(track).root << " for "
        << seen.root << ", " << after.at(track).members.size() << " members for " << seen.members.size()
        << ", slug " << after.at(track).slug << " for " << seen.slug;
}

std::map<std::int64_t, Seen> World::Look() {
  return readers_.Read([&](ReaderConnection& reader) {
    std::map<std::int64_t, Seen> all;
    const auto tracks = TracksAt(reader, ClusterMoment(), {});
    const auto members = MembersOf(reader, ClusterMoment(), kMesh, tracks);
    const ClusterCorrections corrections = CorrectionsAt(reader, ClusterMoment(), kMesh);
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      const ClusterTrack& track = tracks[i];
      Seen& seen = all[track.key];
      seen.id = track.id;
      seen.title = track.title;
      seen.slug = track.slug;
      seen.status = track.status;
      seen.title_pinned = track.title_pinned;
      seen.size = track.size;
      seen.root = corrections.RootOf(track.key);
      seen.merged_into = track.merged_into.value_or(0);
      seen.merge_is_settled = track.merged_into && IsMergeSettled(reader, ClusterMoment(), track);
      for (const TrackMember& member : members[i]) seen.members.insert(member.key);
    }
    return all;
  });
}

void World::ExpectMembers() {
  std::map<std::string, std::int64_t> place;
  for (const auto& [track, seen] : seen_) {
    EXPECT_EQ(seen.size, static_cast<std::int64_t>(seen.members.size())) << seen.id;
    if (seen.root != track) {
      EXPECT_TRUE(seen.members.empty()) << seen.id << " is " << seen_.at(seen.root).id;
    }
    for (const std::string& member : seen.members)
      EXPECT_TRUE(place.try_emplace(member, track).second) << member << " is in two clusters";
  }
  const auto names = [](const Said& said, const std::string& member) {
    return std::count(said.members.begin(), said.members.end(), member) > 0;
  };
  for (int node = 0; node < kNodes; ++node) {
    const std::string member = NodeKey(node);
    const auto where = place.find(member);
    const auto puts_in = [&](const Said& said) {
      return names(said, member) && (said.action == Action::kInclude || said.action == Action::kSplit);
    };
    const auto target = [&](const Said& said) {
      return RootOf(said.action == Action::kSplit ? said.other : said.track);
    };
    const auto keeps_out_of = [&](const Said& said, std::int64_t root) {
      const bool out = said.action == Action::kExclude ||
                       (said.action == Action::kSplit && RootOf(said.other) != RootOf(said.track));
      return names(said, member) && out && RootOf(said.track) == root;
    };
    // Where it was put last, unless it was taken out of there later.
    if (const Said* put = Last(puts_in)) {
      const std::int64_t root = target(*put);
      const Said* out = Last([&](const Said& said) { return keeps_out_of(said, root); });
      if (!out || out->commit <= put->commit) {
        ASSERT_TRUE(where != place.end()) << member << " is not where it was put";
        EXPECT_EQ(where->second, root) << member;
      }
    }
    // Not where it was taken out of, unless it was put there later.
    if (where == place.end()) continue;
    const Said* out = Last([&](const Said& said) { return keeps_out_of(said, where->second); });
    const Said* in = Last([&](const Said& said) { return puts_in(said) && target(said) == where->second; });
    EXPECT_TRUE(!out || (in && in->commit >= out->commit))
        << member << " is in " << seen_.at(where->second).id << ", which it was taken out of";
  }
  // Nobody is lost: who is in a cluster of the run is shown, or kept out of that cluster.
  const auto run =
      readers_.Read([](ReaderConnection& reader) { return ActiveRun(reader, ClusterMoment(), kMesh); });
  if (!run) return;
  SQLite::Statement rows(
      store_->database(),
      "SELECT lower(hex(public_key)), track_key FROM cluster_members JOIN cluster_snapshots"
      " USING(run_id, ordinal) JOIN identity ON key=member_key WHERE run_id=?");
  rows.bind(1, *run);
  while (rows.executeStep()) {
    const std::string member = rows.getColumn(0).getString();
    if (place.contains(member)) continue;
    ASSERT_FALSE(rows.getColumn(1).isNull()) << member << " is lost";
    const std::int64_t root = RootOf(rows.getColumn(1).getInt64());
    EXPECT_TRUE(Last([&](const Said& said) {
      return names(said, member) && (said.action == Action::kExclude || said.action == Action::kSplit) &&
             RootOf(said.track) == root;
    })) << member
        << " is lost";
  }
}

void World::ExpectTracks() {
  for (const auto& [track, seen] : seen_) {
    EXPECT_NE(seen_.at(seen.root).status, "merged") << seen.id;
    if (seen.status == "merged") continue;
    const Said* closed = Last([&, t = track](const Said& said) {
      return said.track == t && (said.action == Action::kClose || said.action == Action::kReopen);
    });
    EXPECT_EQ(seen.status == "closed", closed && closed->action == Action::kClose) << seen.id << seen.status;
    const Said* named = Last([&, t = track](const Said& said) {
      return (said.action == Action::kRename && said.track == t) ||
             (said.action == Action::kSplit && said.other == t && !said.title.empty());
    });
    EXPECT_EQ(seen.title_pinned, named != nullptr) << seen.id;
    if (named) {
      EXPECT_EQ(seen.title, named->title) << seen.id;
    }
    if (!seen.members.empty()) {
      EXPECT_THAT(seen.status, ::testing::AnyOf("active", "closed")) << seen.id;
    }
  }
  for (const Said& said : said_) {
    if (said.action == Action::kMerge) {
      EXPECT_EQ(RootOf(said.other), RootOf(said.track)) << said.id;
    }
  }
  // A merge that is settled leads there for ever, and every name leads to the track that it was of.
  for (const auto& [track, seen] : seen_) {
    if (seen.merge_is_settled) settled_.emplace(track, seen.merged_into);
    names_.emplace(seen.id, track);
    names_.emplace(seen.slug, track);
  }
  for (const auto& [track, into] : settled_) EXPECT_EQ(seen_.at(track).merged_into, into) << track;
}

void World::ExpectNames() {
  readers_.Read([&](ReaderConnection& reader) {
    for (const auto& [name, track] : names_) {
      const auto found = FindTrack(reader, ClusterMoment(), name);
      EXPECT_TRUE(found && found->key == track) << name;
    }
  });
}

void World::ExpectListed() {
  readers_.Read([&](ReaderConnection& reader) {
    std::map<std::int64_t, std::multiset<std::string>> listed;
    for (const auto& [track, seen] : seen_) {
      if (seen.root != track) continue;
      for (const ClusterOverrideRow& row :
           OverridesOf(reader, ClusterMoment(), track, {std::nullopt, 10'000}))
        if (row.in_force && row.action != "undo") listed[track].insert(row.id);
    }
    std::size_t all = 0;
    for (const Said& said : said_) {
      const std::set<std::int64_t> roots{RootOf(said.track), RootOf(said.other ? said.other : said.track)};
      for (const std::int64_t root : roots) EXPECT_EQ(listed[root].count(said.id), 1U) << said.id;
      all += roots.size();
    }
    std::size_t shown = 0;
    for (const auto& [track, ids] : listed) shown += ids.size();
    EXPECT_EQ(shown, all);
  });
}

void World::Expect() {
  seen_ = Look();
  ExpectMembers();
  ExpectTracks();
  if (++looks_ % 8 == 0) ExpectListed();
}

void World::Live(bool restarts) {
  for (int run = 0; run < kRuns && !HasFailure(); ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Run();
    Expect();
    if (draws_.OneIn(25)) ExpectNames();
    if (const bool restart = draws_.OneIn(10); restart && restarts) books_.Forget();
    for (int corrections = draws_.Below(3); corrections > 0 && !HasFailure(); --corrections) {
      Correct();
      Expect();
    }
  }
}

/// How many stories are told; more with HELIOGRAPH_PROPERTY_SEEDS.
int Seeds() {
  const char* const wanted = std::getenv("HELIOGRAPH_PROPERTY_SEEDS");
  return wanted ? std::atoi(wanted) : 3;
}

class OverrideProperty : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Stories, OverrideProperty, ::testing::Range(1, 1 + Seeds()));

TEST_P(OverrideProperty, HoldsThroughTwoHundredRuns) {
  World world(static_cast<std::uint64_t>(GetParam()));
  world.Live(true);
  RecordProperty("applied", world.applied);
  RecordProperty("conflicts", world.conflicts);
  RecordProperty("refused", world.refused);
  RecordProperty("blocked_of_runs_that_know_nothing", world.blocked);
  RecordProperty("blocked_of_computed_runs", world.computed_blocked);
  EXPECT_GT(world.applied, kRuns / 2);
  EXPECT_GT(world.conflicts, 0);
  // What the partition respects leaves the matching little to keep out.
  EXPECT_LT(world.computed_blocked, world.blocked / 4);
}

TEST(OverrideStory, ARestartedWriterConcludesTheSame) {
  World through(99), restarted(99);
  through.Live(false);
  restarted.Live(true);
  std::istringstream a(through.Outcome()), b(restarted.Outcome());
  for (std::string x, y; std::getline(a, x) && std::getline(b, y);) ASSERT_EQ(x, y);
}

}  // namespace
}  // namespace heliograph::server
