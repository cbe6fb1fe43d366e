"""Time attention in a training step on a CPU: PyTorch's fused attention, and plain matrix products, in bfloat16.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/attention_speed.py

Forward and backward pass of one attention of DINOv2-small (6 heads of width 64), 64 photos. Calls alternate, and the
seconds of the processor are counted.
"""

import argparse
from collections.abc import Callable
from functools import partial
from time import process_time
from types import SimpleNamespace

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.clip.modeling_clip import eager_attention_forward

from benchmarks.runs import markdown
from benchmarks.timing import interleaved


BATCH, HEADS, WIDTH = 64, 6, 64
# Tokens: a title, and photos of 112, 168 and 224 px in patches of 14 with the tokens of four entities.
LENGTHS = (32, 72, 152, 265)
ATTENTIONS = {"eager": eager_attention_forward, "sdpa": ALL_ATTENTION_FUNCTIONS["sdpa"]}


def step(attention: Callable, states: torch.Tensor) -> None:
    """Run an attention forward and backward; `states`: query, key and value, `(3, batch, heads, length, width)`."""
    layer = SimpleNamespace(is_causal=False, training=True)
    outputs, _ = attention(layer, *states, None, scaling=WIDTH**-0.5, dropout=0.0)
    outputs.sum().backward()


def main() -> None:
    """Print the milliseconds of each attention."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="calls of each that are counted")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    rows = []
    for length in LENGTHS:
        states = torch.randn(3, BATCH, HEADS, length, WIDTH, dtype=torch.bfloat16, requires_grad=True)
        calls = {name: partial(step, attention, states) for name, attention in ATTENTIONS.items()}
        seconds = interleaved(calls, arguments.rounds, clock=process_time)
        times = [f"{1000 * seconds[name]:.0f}" for name in ATTENTIONS]
        rows.append([f"{length}", *times, f"{seconds['sdpa'] / seconds['eager']:.1f}"])
    print(markdown(["tokens", *(f"{name} (ms)" for name in ATTENTIONS), "eager gains"], rows))


if __name__ == "__main__":
    main()
