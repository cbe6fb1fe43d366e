"""Measure AP of 20,000 queries among 80,000 candidates: seconds and peak memory.

    python benchmarks/attribute_map_memory.py

The score matrix would take 6.4 GB in float32; a chunk of it is held at a time. `--queries` runs a part of the queries:
time grows with their number, memory does not.
"""

import argparse
import resource
import time

import torch

from hf_fashion.metrics import average_precisions


def peak_memory() -> float:
    """Return the highest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, default=80_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--values", type=int, default=20)
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(arguments.values, arguments.dim, generator=generator)

    def side(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.randint(0, arguments.values, (count,), generator=generator)
        embeds = torch.randn(count, arguments.dim, generator=generator).mul_(3).add_(centres[labels])
        return torch.nn.functional.normalize(embeds, dim=1), labels

    (queries, query_labels), (candidates, labels) = side(arguments.queries), side(arguments.candidates)
    before, start = peak_memory(), time.perf_counter()
    values = average_precisions(queries, candidates, query_labels, labels)
    seconds = time.perf_counter() - start
    print(f"{arguments.queries:,} x {arguments.candidates:,} x {arguments.dim}, {torch.get_num_threads()} threads")
    print(f"seconds {seconds:.1f}, peak RSS {peak_memory():.0f} MiB ({peak_memory() - before:.0f} above the start)")
    print({"map": round(values.mean().item(), 4)})


if __name__ == "__main__":
    main()
