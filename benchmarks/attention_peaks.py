"""Measure how far attention peaks are from the true box: share of photos by value.

    python benchmarks/attention_peaks.py --models asen ipad

No training: the runs of `attribute_models.py` on the generated corpus are applied to its validation photos.
"""

import argparse
from collections import defaultdict

import torch
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion
from benchmarks.attribute_models import CORPORA, ROWS, WITHOUT_ATTENTION, run_folder
from benchmarks.runs import markdown, spread
from hf_fashion.embedding.attribute_corpus import image_batches
from hf_fashion.evaluation.attribute_pointing import attention_peaks


HEADER = ["model", "attribute", "value", "photos", "inside", "within a cell", "above", "below", "at the side"]


def peaks_of(folder, dataset) -> tuple[torch.Tensor, list[str], float]:
    """Return the centres (N, A, 2) of the cells with the most attention, the attributes, and the edge of a cell; in
    pixels of the photos."""
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    names = list(model.config.attribute_names)
    wanted = torch.ones(len(dataset), len(names), dtype=torch.bool)
    batches = image_batches(model, processor, dataset, wanted)
    peaks, cells = attention_peaks(model, batches, wanted.shape, list(range(len(names))))
    # Photos are square, and the model sees all of them. In whole pixels a centre on the edge of a box is inside.
    cells = cells * (dataset[0]["image"].width / model.config.image_size)  # (h * w, 4)
    return cells.unflatten(1, (2, 2)).mean(1)[peaks], names, (cells[0, 2] - cells[0, 0]).item()


def side_of(box: list[float], x: float, y: float, cell: float) -> tuple[bool, ...]:
    """Return whether a place is inside a box, at most a cell away, above, below, and at the side of it."""
    left, top, right, bottom = box
    aside, apart = max(left - x, x - right, 0), max(top - y, y - bottom, 0)
    return aside == apart == 0, max(aside, apart) <= cell, y < top, y > bottom, aside > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["asen", "ipad"], choices=set(ROWS) - set(WITHOUT_ATTENTION))
    parser.add_argument("--attributes", nargs="+", default=["sleeve", "hem"])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    dataset = hf_fashion.load_corpus(CORPORA["generated"]["corpus"])["validation"]
    rows = []
    for model in arguments.models:
        peaks, names, cell = peaks_of(run_folder(f"generated/{model}", arguments.seed) / "last", dataset)
        for attribute in arguments.attributes:
            found = defaultdict(list)
            for row, (values, boxes) in enumerate(zip(dataset[attribute], dataset["boxes"], strict=True)):
                if boxes[attribute]:
                    place = peaks[row, names.index(attribute)].tolist()
                    found[values].append(side_of(boxes[attribute], *place, cell))
            for value, sides in sorted(found.items()):
                shares = [spread([sum(side) / len(sides)]) for side in zip(*sides, strict=True)]
                rows.append([model, attribute, dataset.features[attribute].names[value], str(len(sides)), *shares])
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
