"""Time calls that alternate."""

import statistics
import time
from collections.abc import Callable


def interleaved(
    calls: dict[str, Callable[[], object]],
    rounds: int,
    warm_up: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median seconds of each call; calls alternate, and each is first in every other round."""
    times = {name: [] for name in calls}
    order = list(calls)
    for number in range(rounds + warm_up):
        for name in order:
            start = clock()
            calls[name]()
            if number >= warm_up:
                times[name].append(clock() - start)
        order.reverse()
    return {name: statistics.median(values) for name, values in times.items()}
