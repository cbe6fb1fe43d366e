"""Measure the cost of several attributes against one: the global branch of ASEN, and IPAD's IP-SP.

    python benchmarks/attribute_speed.py --output benchmarks/results/attribute_speed.json

The papers' ResNet-50 up to its third stage at 224 px, batch 4, random weights; calls alternating.
"""

import argparse
from functools import partial
from pathlib import Path

import torch

from benchmarks.timing import interleaved
from hf_fashion.files import write_json
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.attribute.modeling_ipad import IpadModel


NAMES = [f"attribute {number}" for number in range(8)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="calls of each that are counted")
    parser.add_argument("--output", type=Path, required=True, help="JSON file")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    pixels = torch.randn(4, 3, 224, 224)
    models = {
        "ASEN": AsenModel(AsenConfig(attribute_names=NAMES)),
        "IPAD, only IP-SP": IpadModel(IpadConfig(attribute_names=NAMES, use_semantic_branch=False)),
    }
    rows = []
    with torch.inference_mode():
        for name, model in models.items():
            ask = model.eval().get_attribute_features
            calls = {f"{count} of 8": partial(ask, pixels, torch.arange(count).expand(4, -1)) for count in (1, 8)}
            seconds = interleaved(calls, arguments.rounds)
            rows.append({"model": name, **seconds, "ratio": seconds["8 of 8"] / seconds["1 of 8"]})
            print(rows[-1], flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_json({"threads": torch.get_num_threads(), "rows": rows}, arguments.output)


if __name__ == "__main__":
    main()
