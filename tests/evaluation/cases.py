"""Which meshes are measured: a grid over size, density, firmware and observers, in two sets of seeds that never mix."""
import dataclasses

from switch_readiness import BLOCKERS

SIZES = {"small": 60, "large": 1000}
REGIONS = {"dense": 1, "sparse": 4}
LEGACY_SHARES = {"new": 0.15, "mixed": 0.4, "legacy": 0.75}

TRAINING_SEEDS = range(1, 13)
HELD_OUT_SEEDS = range(101, 125)


@dataclasses.dataclass(frozen=True)
class Case:
    """One mesh. The words are what figures are grouped by."""
    seed: int
    size: str
    density: str
    firmware: str
    ears: str  # "few" or "many" observers
    life: str  # "still", "upgrades" or "collisions"
    nodes: int
    regions: int
    legacy_share: float
    observers: int
    days: float
    observations: float = 8  # of one transmission, where the observers hear more

    @property
    def name(self):
        return f"{self.seed} {self.size} {self.density} {self.firmware} {self.ears} {self.life}"

    @property
    def groups(self):
        return (self.size, self.density, self.firmware, self.ears + " observers", self.life)

    @property
    def arguments(self):
        """The arguments of meshsim for this mesh."""
        words = ["--seed", self.seed, "--nodes", self.nodes, "--regions", self.regions, "--days", self.days,
                 "--legacy-share", self.legacy_share, "--observers", self.observers,
                 "--observations-per-transmission", self.observations,
                 "--upgrades-per-day", 0.3 if self.life == "upgrades" else 0]
        if self.life == "collisions":
            words += ["--colliding-prefixes", self.nodes // 20]
        words += ["--best-upgrades", BLOCKERS]
        return [str(word) for word in words]


def grid(seeds, days_small=3.0, days_large=1.0):
    """A case for each seed. The grid of size, density and firmware is gone through once for every 12 seeds, and each time
    with another choice of observers and life."""
    corners = [(size, density, firmware) for firmware in LEGACY_SHARES for density in REGIONS for size in SIZES]
    lives = ("still", "upgrades", "collisions")
    cases = []
    for index, seed in enumerate(seeds):
        size, density, firmware = corners[index % len(corners)]
        turn = index // len(corners)
        few = (index // 2 + index // 4) % 2 == 0
        nodes = SIZES[size] + (100 * (index % 3) if size == "large" else 0)
        observers = {("small", True): 2, ("small", False): 8, ("large", True): 12, ("large", False): 60}[size, few]
        cases.append(Case(seed, size, density, firmware, "few" if few else "many", lives[(index // 2 + turn) % 3],
                          nodes, REGIONS[density], LEGACY_SHARES[firmware], observers,
                          days_small if size == "small" else days_large, 6 if few else 10))
    return cases


def held_out():
    return grid(HELD_OUT_SEEDS)


def training():
    return grid(TRAINING_SEEDS)


def quick(seeds):
    """Three meshes that take seconds."""
    shapes = (("sparse", "new", 60), ("dense", "mixed", 60), ("sparse", "legacy", 200))
    return [Case(seed, "small", density, firmware, "many", "still", nodes, REGIONS[density], LEGACY_SHARES[firmware], 8, 1.0)
            for seed, (density, firmware, nodes) in zip(seeds, shapes)]
