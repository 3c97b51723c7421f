#include "server/clusters/constraint_reader.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/clusters/cluster_reader.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

class ConstraintReading {
 public:
  ConstraintReading(ReaderConnection& reader, const ClusterMoment& moment, ClusterCollection collection)
      : reader_(reader),
        moment_(moment),
        collection_(collection),
        corrections_(CorrectionsAt(reader, moment, collection)),
        name_(reader.Prepared(collection == ClusterCollection::kMesh
                                  ? "SELECT lower(hex(public_key)) FROM identity WHERE key=?"
                                  : "SELECT item_id FROM item_identity WHERE key=?")) {}

  PartitionConstraints Read() {
    const auto merges = MergedMembers();
    if (corrections_.empty() && merges.empty()) return {};
    ReadBodies();
    for (const auto& [track, member] : merges)
      if (present_.contains({track, member})) together_[track].insert(member);
    for (const auto& [member, track] : corrections_.pinned) together_[track].insert(member);
    for (auto& [track, members] : together_) {
      if (const auto anchor = AnchorOf(track)) members.insert(*anchor);
      constraints_.together.push_back(NamesOf(members));
    }
    KeepApart();
    return std::move(constraints_);
  }

 private:
  struct BodyMember {
    std::int64_t member = 0, strength = 0;
    bool pinned = false;
  };

  void ReadBodies() {
    for (const auto& [member, track] : corrections_.pinned) Add(track, {member, 0, true});
    const auto run = ActiveRun(reader_, moment_, collection_);
    if (!run) return;
    Statement& rows = reader_.Prepared(
        "SELECT c.track_key, m.member_key, m.strength FROM cluster_members AS m JOIN cluster_snapshots AS c"
        " USING(run_id, ordinal) WHERE m.run_id=? AND c.track_key IS NOT NULL ORDER BY m.member_key");
    rows.bind(1, *run);
    while (rows.executeStep()) {
      const std::int64_t root = corrections_.RootOf(rows.getColumn(0).getInt64());
      const std::int64_t member = rows.getColumn(1).getInt64();
      if (!corrections_.pinned.contains(member) && !corrections_.IsExcluded(root, member))
        Add(root, {member, rows.getColumn(2).getInt64(), false});
    }
  }
  void Add(std::int64_t track, const BodyMember& member) {
    bodies_[track].push_back(member);
    present_.insert({track, member.member});
  }

  /// The members of merges that are in force, by the root of the whole.
  std::vector<std::pair<std::int64_t, std::int64_t>> MergedMembers() {
    Statement& rows =
        reader_.Prepared("SELECT o.track_key, m.member_key FROM " +
                         IntervalsAt("cluster_overrides", "override_id", moment_, "cluster_overrides_now") +
                         " AS o JOIN cluster_override_members AS m USING(override_id)"
                         " WHERE o.collection=?4 AND o.action='merge'");
    BindMoment(rows, moment_);
    rows.bind(4, std::string(Name(collection_)));
    std::vector<std::pair<std::int64_t, std::int64_t>> members;
    while (rows.executeStep())
      members.emplace_back(corrections_.RootOf(rows.getColumn(0).getInt64()), rows.getColumn(1).getInt64());
    return members;
  }

  void KeepApart() {
    std::map<std::int64_t, std::set<std::int64_t>> excluded;
    for (const auto& [track, member] : corrections_.excluded) excluded[track].insert(member);
    Statement& id = reader_.Prepared("SELECT track_id FROM cluster_tracks WHERE track_key=?");
    for (const auto& [track, members] : excluded) {
      PartitionConstraints::Apart apart;
      id.reset();
      id.bind(1, track);
      if (id.executeStep()) apart.cluster = id.getColumn(0).getString();
      apart.members = NamesOf(members);
      for (const BodyMember& member : bodies_[track]) apart.body.push_back(NameOf(member.member));
      constraints_.apart.push_back(std::move(apart));
    }
  }

  /// Who of a track that members are pinned to stands for it, if there is anybody who is in it by itself.
  std::optional<std::int64_t> AnchorOf(std::int64_t track) {
    Statement& row =
        reader_.Prepared("SELECT representative_key FROM " +
                         IntervalsAt("cluster_track_states", "track_key", moment_) + " WHERE track_key=?4");
    BindMoment(row, moment_);
    row.bind(4, track);
    const auto representative = row.executeStep() ? NumberOf(row.getColumn(0)) : std::nullopt;
    row.reset();
    const BodyMember* firmest = nullptr;
    for (const BodyMember& member : bodies_[track]) {
      if (member.pinned) continue;
      if (member.member == representative) return representative;
      if (!firmest ||
          std::pair(-member.strength, member.member) < std::pair(-firmest->strength, firmest->member))
        firmest = &member;
    }
    return firmest ? std::optional(firmest->member) : std::nullopt;
  }

  std::string NameOf(std::int64_t member) {
    name_.reset();
    name_.bind(1, member);
    return name_.executeStep() ? name_.getColumn(0).getString() : std::string();
  }
  std::vector<std::string> NamesOf(const std::set<std::int64_t>& members) {
    std::vector<std::string> names;
    for (const std::int64_t member : members) names.push_back(NameOf(member));
    std::sort(names.begin(), names.end());
    return names;
  }

  ReaderConnection& reader_;
  const ClusterMoment& moment_;
  const ClusterCollection collection_;
  const ClusterCorrections corrections_;
  Statement& name_;
  PartitionConstraints constraints_;
  std::map<std::int64_t, std::vector<BodyMember>> bodies_;   ///< by root: who is shown in it
  std::set<std::pair<std::int64_t, std::int64_t>> present_;  ///< the same as pairs
  std::map<std::int64_t, std::set<std::int64_t>> together_;  ///< likewise: whom people put together
};

}  // namespace

PartitionConstraints ConstraintsAt(ReaderConnection& reader, const ClusterMoment& moment,
                                   ClusterCollection collection) {
  return ConstraintReading(reader, moment, collection).Read();
}

}  // namespace heliograph::server
