"""Does a score put the one kind before the other: the area under the curve."""
import itertools


def area_under_curve(pairs):
    """Of (score, is positive) pairs: the chance that a positive has a higher score than a negative, ties counting half. None
    unless there are both."""
    ordered = sorted(pairs, key=lambda pair: pair[0])
    positives = sum(bool(positive) for _, positive in ordered)
    negatives = len(ordered) - positives
    if not positives or not negatives:
        return None
    below, wins = 0, 0.0
    for _, tied in itertools.groupby(ordered, key=lambda pair: pair[0]):
        tied = list(tied)
        up = sum(bool(positive) for _, positive in tied)
        down = len(tied) - up
        wins += up * (below + down / 2)
        below += down
    return wins / (positives * negatives)


def curve(pairs):
    """(false positive rate, true positive rate) from the highest score down, starting at the origin."""
    ordered = sorted(pairs, key=lambda pair: -pair[0])
    positives = sum(bool(positive) for _, positive in ordered)
    negatives = len(ordered) - positives
    points, up, down = [(0.0, 0.0)], 0, 0
    for _, tied in itertools.groupby(ordered, key=lambda pair: pair[0]):
        for _, positive in tied:
            up, down = up + bool(positive), down + (not positive)
        points.append((down / max(negatives, 1), up / max(positives, 1)))
    return points
