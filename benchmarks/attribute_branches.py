"""Measure each branch by itself and the best weight of both: ASEN++, RPF, IPAD as trained.

    python benchmarks/attribute_branches.py --corpora tshirts --seeds 0
    python benchmarks/attribute_branches.py --table   # the table of the results file

No training: the models of `attribute_models.py` search again with other weights of their branches (the paper's
section 4.3.1, and beta of 4.3.4).
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion
from benchmarks.attribute_models import CORPORA, LONGER, run_folder
from benchmarks.runs import markdown, spread
from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_folds
from hf_fashion.data.attributes.vocabulary import with_attributes
from hf_fashion.data.column_map import column_map_for
from hf_fashion.evaluation.attribute_retrieval import attribute_searches, retrieval_metrics
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.files import write_json


RESULTS = Path(__file__).parent / "results" / "attribute_branches.json"
WEIGHT_FIELDS = {"asen++": "global_weight", "rpf": "beta", "ipad": "beta"}
WEIGHT_FIELDS |= {name: WEIGHT_FIELDS[name.split(",")[0]] for name in LONGER}
WEIGHTS = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def search_with(folder: Path, field: str, corpus: str) -> dict[str, float]:
    """Return weight of the branch that sees the whole photo -> MAP over all queries of the validation split."""
    source = CORPORA[corpus]
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    setattr(model.config, field, 0.5)
    dataset = hf_fashion.load_corpus(source["corpus"])["validation"]
    column_map = column_map_for(source["column_map"], source["corpus"])
    labels = read_labels(dataset, with_attributes(column_map, list(model.config.attribute_names)))
    searches = attribute_searches(model, processor, dataset, column_map, draw_folds(labels))
    return {
        str(weight): retrieval_metrics(
            {name: [reweighted(search, weight) for search in parts] for name, parts in searches.items()}
        )["map"]
        for weight in WEIGHTS
    }


def reweighted(search: LabelledSearch, weight: float) -> LabelledSearch:
    """Return a search with other weights of its features' halves, which are the branches and were weighted equally."""

    def weighted(embeds: Tensor) -> Tensor:
        whole, region = embeds.chunk(2, dim=1)
        return torch.cat([weight**0.5 * whole, (1 - weight) ** 0.5 * region], dim=1)

    return replace(search, query_embeds=weighted(search.query_embeds), gallery_embeds=weighted(search.gallery_embeds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--table", action="store_true", help="only print the results file")
    arguments = parser.parse_args()

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for corpus in arguments.corpora if not arguments.table else []:
        for model, field in WEIGHT_FIELDS.items():
            for seed in arguments.seeds:
                folder = run_folder(f"{corpus}/{model}", seed) / "last"
                if not folder.exists():
                    continue
                found = search_with(folder, field, corpus)
                results.setdefault(f"{corpus}/{model}", {})[str(seed)] = found
                write_json(results, RESULTS)
    rows = [
        [name, str(len(seeds)), *(spread([found[str(weight)] for found in seeds.values()]) for weight in WEIGHTS)]
        for name, seeds in results.items()
    ]
    print(markdown(["weight of the whole photo", "seeds", *map(str, WEIGHTS)], rows))


if __name__ == "__main__":
    main()
