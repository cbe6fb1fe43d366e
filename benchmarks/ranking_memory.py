"""Rank 100,000 queries against 100,000 items; print seconds and peak memory. `python benchmarks/ranking_memory.py`

The score matrix would take 40 GB in float32; the chunked functions hold a few tens of MB of it at a time.
"""

import argparse
import resource
import time

import torch

from hf_fashion.metrics import recall_at_k


def peak_memory() -> float:
    """Return the highest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=64)
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    gallery = torch.nn.functional.normalize(torch.randn(arguments.size, arguments.dim, generator=generator), dim=1)
    noise = torch.randn(gallery.shape, generator=generator) * 0.2
    queries = torch.nn.functional.normalize(gallery + noise, dim=1)
    labels = torch.arange(arguments.size)
    before, start = peak_memory(), time.perf_counter()
    metrics = recall_at_k(queries, gallery, labels, labels)
    seconds = time.perf_counter() - start
    print(f"{arguments.size:,} x {arguments.size:,} x {arguments.dim}, {torch.get_num_threads()} threads")
    print(f"seconds {seconds:.1f}, peak RSS {peak_memory():.0f} MiB ({peak_memory() - before:.0f} above the start)")
    print({name: round(value, 4) for name, value in metrics.items()})


if __name__ == "__main__":
    main()
