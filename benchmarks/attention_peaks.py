"""Where attention peaks that miss the true box: share of photos by the distance of the peak from it, by value.

    python benchmarks/attention_peaks.py --models asen ipad

No training: the runs of `attribute_models.py` on the generated corpus look at its validation photos.
"""

import argparse
from collections import defaultdict

import torch
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion
from benchmarks.attribute_models import CORPORA, ROWS, WITHOUT_ATTENTION, run_folder
from benchmarks.runs import markdown, spread
from hf_fashion.evaluation.attribute_inputs import image_batches


HEADER = ["model", "attribute", "value", "photos", "inside", "within a cell", "above", "below", "beside"]


def peaks_of(folder, dataset) -> tuple[torch.Tensor, list[str], float]:
    """The centres (N, A, 2) of the cells with the most attention, as shares of the photo's edge; the attributes; the
    edge of a cell."""
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    names = list(model.config.attribute_names)
    wanted = torch.ones(len(dataset), len(names), dtype=torch.bool)
    centres = []
    with torch.no_grad():
        for _, _, inputs in image_batches(model, processor, dataset, wanted):
            maps = model(**inputs).attention_maps
            place = maps.flatten(2).argmax(-1)  # (B, A)
            centres.append(torch.stack([place % maps.shape[-1] + 0.5, place // maps.shape[-1] + 0.5], -1))
    return torch.cat(centres) / maps.shape[-1], names, 1 / maps.shape[-1]


def side_of(box: list[float], x: float, y: float, cell: float) -> tuple[bool, ...]:
    """Whether a place is inside a box, at most a cell away, and above, below or beside it."""
    left, top, right, bottom = box
    beside, apart = max(left - x, x - right, 0), max(top - y, y - bottom, 0)
    return beside == apart == 0, max(beside, apart) <= cell, y < top, y > bottom, beside > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["asen", "ipad"], choices=set(ROWS) - set(WITHOUT_ATTENTION))
    parser.add_argument("--attributes", nargs="+", default=["sleeve", "hem"])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    dataset = hf_fashion.load_corpus(CORPORA["generated"]["corpus"])["validation"]
    edge = dataset[0]["image"].width
    rows = []
    for model in arguments.models:
        peaks, names, cell = peaks_of(run_folder(f"generated/{model}", arguments.seed) / "last", dataset)
        for attribute in arguments.attributes:
            found = defaultdict(list)
            for row, (values, boxes) in enumerate(zip(dataset[attribute], dataset["boxes"], strict=True)):
                if boxes[attribute]:
                    box = [number / edge for number in boxes[attribute]]
                    found[values].append(side_of(box, *peaks[row, names.index(attribute)].tolist(), cell))
            for value, sides in sorted(found.items()):
                shares = [spread([sum(side) / len(sides)]) for side in zip(*sides, strict=True)]
                rows.append([model, attribute, dataset.features[attribute].names[value], str(len(sides)), *shares])
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
