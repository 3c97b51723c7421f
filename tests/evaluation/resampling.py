"""How much a figure would change with other meshes: cases are drawn anew, with replacement."""
import random


def interval(cases, figure, draws=400, share=0.95):
    """(low, high) of `figure(cases)`; None when there are too few cases to tell. The same input gives the same answer."""
    if len(cases) < 3:
        return None
    chance = random.Random(20_260_101)
    values = [figure([chance.choice(cases) for _ in cases]) for _ in range(draws)]
    values = sorted(value for value in values if value is not None)
    if len(values) < draws / 2:
        return None
    cut = (1 - share) / 2
    return values[int(cut * len(values))], values[min(len(values) - 1, int((1 - cut) * len(values)))]
