"""Splits in time, row by row from their definitions."""

from itertools import pairwise


def in_time(t0):
    return sorted(range(len(t0)), key=lambda i: (t0[i], i))


def overlap(t0, t1, i, j):
    return t0[i] <= t1[j] and t0[j] <= t1[i]


def folds_by_time(t0, count):
    order, folds, n = in_time(t0), [], len(t0)
    for f in range(count):
        size = n // count + (f < n % count)
        folds.append(order[:size])
        order = order[size:]
    return folds


def purged(t0, t1, count, test_folds, embargo_rows=0, embargo_time=None):
    """(train, test) with the folds of those numbers held out."""
    folds = folds_by_time(t0, count)
    test = sorted(i for f in test_folds for i in folds[f])
    out = {i for i in range(len(t0)) for j in test if overlap(t0, t1, i, j)}
    for f in test_folds:
        end = max(t1[j] for j in folds[f])
        later = [i for i in in_time(t0) if t0[i] > end]
        if embargo_time is None:
            out.update(later[:embargo_rows])
        else:
            out.update(i for i in later if t0[i] <= end + embargo_time)
    return [i for i in range(len(t0)) if i not in out], test


def before(t0, t1, train, test):
    """Rows to train on whose label has ended before any row to test on begins."""
    begin = min(t0[i] for i in test)
    return sorted(i for i in train if t1[i] < begin), sorted(test)


def walk_rows(t0, t1, train_size, test_size, gap, step, expanding, partial):
    order, first = in_time(t0), train_size + gap
    while first < len(order) and (partial or first + test_size <= len(order)):
        stop = first - gap
        train = order[0 if expanding else stop - train_size : stop]
        yield before(t0, t1, train, order[first : first + test_size])
        first += step


def walk_time(t0, t1, train_size, test_size, gap, step, expanding, partial):
    moments = sorted(set(t0))
    least = min((b - a for a, b in pairwise(moments)), default=0)
    k = 0
    while (start := moments[0] + train_size + step * k + gap) <= moments[-1]:
        stop = moments[0] + train_size + step * k
        k += 1
        if not partial and start + test_size > moments[-1] + least:
            return
        test = [i for i, t in enumerate(t0) if start <= t < start + test_size]
        train = [i for i, t in enumerate(t0) if t < stop and (expanding or t >= stop - train_size)]
        if test:
            yield before(t0, t1, train, test)


def group_series(t0, t1, groups, n_splits, max_train_size, test_size, gap):
    order = list(dict.fromkeys(groups[i] for i in in_time(t0)))
    size = test_size or len(order) // (n_splits + 1)
    for number in range(n_splits):
        start = len(order) - (n_splits - number) * size
        chosen = order[: start - gap]
        chosen = chosen[-max_train_size:] if max_train_size else chosen
        held_out = order[start : start + size]
        test = [i for i, g in enumerate(groups) if g in held_out]
        yield before(t0, t1, [i for i, g in enumerate(groups) if g in chosen], test)
