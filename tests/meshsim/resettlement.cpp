#include "tests/meshsim/resettlement.h"

#include <algorithm>
#include <array>
#include <optional>

namespace heliograph::meshsim {
namespace {

constexpr std::array kTurns = {ResettlementKind::kSplits, ResettlementKind::kAbandoned,
                               ResettlementKind::kMerges, ResettlementKind::kFounded};
constexpr std::size_t kLeastNewcomers = 10, kMostNewcomers = 20;
constexpr double kLeastShare = 0.3, kMostShare = 0.5;

UtcMillis TimeOf(std::size_t number, const PopulationOptions& options, Random& random) {
  const double part =
      (static_cast<double>(number) + random.Between(0.25, 0.75)) / static_cast<double>(options.resettlements);
  return options.start + std::chrono::milliseconds(
                             static_cast<std::int64_t>(part * static_cast<double>(options.span.count())));
}

/// Two towns of a region that nothing has happened to yet; the second is missing when one is enough.
class Choice {
 public:
  Choice(const Terrain& terrain, Random& random) : terrain_(terrain), free_(InhabitedTowns(terrain)) {
    random.Shuffle(free_);
  }

  std::optional<std::size_t> Take() {
    if (free_.empty()) return std::nullopt;
    const std::size_t town = free_.back();
    free_.pop_back();
    return town;
  }
  std::optional<std::size_t> TakeOf(std::size_t region) {
    const auto found =
        std::ranges::find(free_, region, [this](std::size_t t) { return terrain_.towns[t].region; });
    if (found == free_.end()) return std::nullopt;
    const std::size_t town = *found;
    free_.erase(found);
    return town;
  }

 private:
  const Terrain& terrain_;
  std::vector<std::size_t> free_;
};

}  // namespace

std::vector<Resettlement> PlanResettlements(Terrain& terrain, const PopulationOptions& options, Random random,
                                            std::vector<Node>& nodes) {
  std::vector<Resettlement> plans;
  Choice towns(terrain, random);
  for (std::size_t k = 0; k < options.resettlements; ++k) {
    Resettlement plan{TimeOf(k, options, random), kTurns[k % kTurns.size()], 0, 0, 0, {}};
    const auto town = plan.kind == ResettlementKind::kFounded ? std::optional<std::size_t>(0) : towns.Take();
    if (!town) continue;
    plan.from = *town;
    switch (plan.kind) {
      case ResettlementKind::kFounded: {
        plan.from = plan.to =
            AddTown(terrain, random.Below(static_cast<std::uint32_t>(terrain.regions.size())),
                    options.town_spacing_km, random);
        const auto spread = static_cast<std::uint32_t>(kMostNewcomers - kLeastNewcomers + 1);
        for (std::size_t i = kLeastNewcomers + random.Below(spread); i > 0; --i) {
          const bool pioneer = plan.newcomers.empty();
          plan.newcomers.push_back(static_cast<NodeIndex>(nodes.size()));
          nodes.push_back(BuildNewcomer(terrain, plan.from, pioneer, nodes.size(), plan.at, options, random));
        }
        break;
      }
      case ResettlementKind::kAbandoned:
        break;
      case ResettlementKind::kSplits:
        plan.to = AddTown(terrain, terrain.towns[plan.from].region, options.town_spacing_km, random);
        plan.share = random.Between(kLeastShare, kMostShare);
        break;
      case ResettlementKind::kMerges: {
        const auto other = towns.TakeOf(terrain.towns[plan.from].region);
        if (!other) continue;
        plan.to = *other;
        break;
      }
    }
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace heliograph::meshsim
