"""Do the probabilities mean what they say: calibration error and Brier score."""
import dataclasses

BINS = 10


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Sums of one case, or of several; per bin of equal width: nodes, sum of probabilities, nodes that are capable."""
    counts: tuple = (0,) * BINS
    said: tuple = (0.0,) * BINS
    true: tuple = (0,) * BINS
    squares: float = 0.0

    def __add__(self, other):
        add = lambda a, b: tuple(x + y for x, y in zip(a, b))
        return Calibration(add(self.counts, other.counts), add(self.said, other.said), add(self.true, other.true),
                           self.squares + other.squares)

    @property
    def nodes(self):
        return sum(self.counts)

    @property
    def expected_error(self):
        """The mean over nodes of the distance between what their bin said and what was true."""
        return sum(abs(s - t) for s, t in zip(self.said, self.true)) / self.nodes if self.nodes else None

    @property
    def bias(self):
        """How much more is said than is true, on average."""
        return (sum(self.said) - sum(self.true)) / self.nodes if self.nodes else None

    @property
    def brier(self):
        return self.squares / self.nodes if self.nodes else None


def calibrate(pairs):
    """Of (probability, is capable) pairs."""
    counts, said, true, squares = [0] * BINS, [0.0] * BINS, [0] * BINS, 0.0
    for probability, capable in pairs:
        bin_ = min(int(probability * BINS), BINS - 1)
        counts[bin_] += 1
        said[bin_] += probability
        true[bin_] += bool(capable)
        squares += (probability - bool(capable)) ** 2
    return Calibration(tuple(counts), tuple(said), tuple(true), squares)


def best_constants(pairs):
    """The probability of each label that gives (label, is capable) pairs the smallest Brier score, which is the share of the
    capable."""
    count, true = {}, {}
    for label, capable in pairs:
        count[label] = count.get(label, 0) + 1
        true[label] = true.get(label, 0) + bool(capable)
    return {label: true[label] / count[label] for label in count}
