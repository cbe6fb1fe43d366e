"""Measure what E2's regions give to search, and what they cost.

    python benchmarks/region_search.py                        # the E2 of `make quickstart`, its corpus
    python benchmarks/region_search.py --model 'runs/pretrained_e2/options_tags_e2-{seed}/last' --seeds 0 1 2 \\
        --corpus ../shared/corpora/catalog-large --column_map catalog
    python benchmarks/region_search.py --table                # only print the results file

Quality: descriptions and tags find photos by the embedding of the whole photo, by the space of the tag's entity, and
by late interaction as the pipeline scores it: the first candidates by photo are sorted again, those behind stay.
Cost: galleries of 20,000 random vectors with and without regions, of the model's dimensions; CPU time of a call of the
pipeline, embedding the text included.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from datasets import Dataset
from torch import Tensor
from torch.nn.functional import normalize
from transformers import PreTrainedModel, ProcessorMixin, pipeline

from benchmarks.runs import markdown, spread
from benchmarks.timing import interleaved
from hf_fashion.data.column_map import ColumnMap, column_map_for
from hf_fashion.data.values import column_texts
from hf_fashion.embedding.capabilities import check_regions
from hf_fashion.embedding.corpus import embed_images, embed_texts
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.embedding.fingerprint import embedder_fingerprint
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.evaluation.cross_modal_candidates import embed_candidates
from hf_fashion.evaluation.splits import load_splits
from hf_fashion.evaluation.tags import region_embeds_by_entity, tag_labels
from hf_fashion.files import write_json
from hf_fashion.metrics.attribute_map import average_precisions_of_hits
from hf_fashion.pipelines.late_interaction_fashion_retrieval import NUM_SCORED
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.projection import principal_axes


RESULTS = Path(__file__).parent / "results" / "region_search.json"
WEIGHTS = (0.1, 0.3, 0.5)
PRODUCTS, ROUNDS = 20_000, 20
QUERY = "a red dress with stripes"


def late_scores(texts: Tensor, photos: Tensor, regions: Tensor, weight: float) -> Tensor:
    """Return the late interaction of texts (Q, P) with photos (N, P) and their regions (N, E, P): (Q, N)."""
    best = torch.stack([texts @ entity.T for entity in regions.unbind(dim=1)]).amax(dim=0)
    return (1 - weight) * texts @ photos.T + weight * best


def ranked(texts: Tensor, photos: Tensor, regions: Tensor, weight: float) -> Tensor:
    """Return the places of all photos by rank, (Q, N), as the pipeline sorts them."""
    order = (texts @ photos.T).argsort(dim=1, descending=True, stable=True)
    first = order[:, :NUM_SCORED]
    scores = late_scores(texts, photos, regions, weight).gather(1, first)
    return torch.cat([first.gather(1, scores.argsort(dim=1, descending=True, stable=True)), order[:, NUM_SCORED:]], 1)


def mean_ap(order: Tensor, labels: Tensor) -> float:
    """Return MAP of rankings (Q, N) of photos with labels (N,), where query q looks for label q."""
    return average_precisions_of_hits(labels[order] == torch.arange(len(order))[:, None]).mean().item()


def by_description(texts: Tensor, photos: Tensor, regions: Tensor, weight: float) -> dict[str, float]:
    """Return R@1 both ways and MAP of pairs of texts and photos."""
    order, own = ranked(texts, photos, regions, weight), torch.arange(len(texts))
    nearest_text = late_scores(texts, photos, regions, weight).argmax(dim=0)
    return {
        "image to text R@1": (nearest_text == own).double().mean().item(),
        "text to image R@1": (order[:, 0] == own).double().mean().item(),
        "description MAP": mean_ap(order, own),
    }


def quality(
    model: PreTrainedModel, processor: ProcessorMixin, dataset: Dataset, column_map: ColumnMap
) -> dict[str, dict[str, float]]:
    """Return kind of search -> metric -> value."""
    images = embed_images(model, processor, dataset, column_map.image)
    photos, regions = images["image_embeds"], images["region_embeds"]
    pairs = embed_candidates(model, processor, dataset, column_map, image_embeds=photos)
    rows = pairs.candidates.image_rows
    found = {
        _name(weight): by_description(pairs.text_embeds, photos[rows], regions[rows], weight)
        for weight in (0, *WEIGHTS)
    }
    found["entity"] = {}
    by_entity = region_embeds_by_entity(model, images)
    for entity, column in column_map.tags.items():
        rows, labels, vocabulary = tag_labels(column_texts(dataset, column), entity)
        tags, _ = embed_texts(model, processor, vocabulary)
        for weight in (0, *WEIGHTS):
            order = ranked(tags, photos[rows], regions[rows], weight)
            found[_name(weight)][f"{entity} MAP"] = mean_ap(order, labels)
        if entity in by_entity:
            order = (tags @ by_entity[entity][rows].T).argsort(dim=1, descending=True, stable=True)
            found["entity"][f"{entity} MAP"] = mean_ap(order, labels)
    return found


def made_gallery(folder: Path, encoder: Encoder, dimensions: int | None = None) -> Gallery:
    """Return a gallery of random vectors in the encoder's spaces."""
    generator = torch.Generator().manual_seed(0)
    vectors = {
        space: normalize(torch.randn(PRODUCTS, number, generator=generator), dim=-1)
        for space, number in encoder.spaces.items()
    }
    axes = {space: principal_axes(rows, dimensions) for space, rows in vectors.items()} if dimensions else None
    fingerprint = embedder_fingerprint(encoder.model, encoder.image_processor, encoder.tokenizer)
    gallery = Gallery.create(folder, encoder.spaces, None, fingerprint, axes)
    gallery.add([f"product {number:06d}" for number in range(PRODUCTS)], vectors)
    return gallery


def cost(model: PreTrainedModel, processor: ProcessorMixin) -> dict[str, dict[str, float]]:
    """Return bytes of a product by kind of gallery, and CPU milliseconds of a query by kind of search."""
    whole, regions = Encoder(model, processor), Encoder(model, processor, regions=True)
    eighth = whole.spaces["image"] // 8
    with TemporaryDirectory() as folder:
        kinds = {
            "photo": made_gallery(Path(folder, "photo"), whole),
            "photo and regions": made_gallery(Path(folder, "regions"), regions),
            "photo and regions, d/8": made_gallery(Path(folder, "eighth"), regions, eighth),
        }
        size = {kind: gallery.info()["storage"]["bytes"] / PRODUCTS for kind, gallery in kinds.items()}
        search = pipeline("fashion-retrieval", model=model, processor=processor, gallery=kinds["photo and regions"])
        calls: dict[str, Callable[[], object]] = {
            "photo": lambda: search(QUERY),
            "entity": lambda: search({"text": QUERY, "entity": model.config.tag_entities[0]}),
            "late interaction": lambda: search(QUERY, late_interaction=0.3),
        }
        seconds = interleaved(calls, ROUNDS, clock=time.process_time)
    return {"bytes a product": size, "CPU ms a query": {kind: 1000 * one for kind, one in seconds.items()}}


def measure(arguments: argparse.Namespace, seed: int) -> dict[str, dict]:
    """Return quality and cost of the model of a seed."""
    column_map = column_map_for(arguments.column_map, arguments.corpus)
    dataset, _, _ = load_splits(arguments.corpus, column_map, arguments.split)
    model, processor = load_model(arguments.model.format(seed=seed), "cpu", "float32")
    check_regions(model)
    return {"photos": len(dataset), "quality": quality(model, processor, dataset, column_map)} | cost(model, processor)


def tables(results: dict[str, dict[str, dict]]) -> str:
    """Return quality over the seeds in percent, and cost for the first seed, of every corpus as Markdown."""
    parts = []
    for corpus, seeds in results.items():
        first = next(iter(seeds.values()))
        metrics = list(first["quality"][_name(0)])
        rows = []
        for kind, values in first["quality"].items():
            of_seeds = [found["quality"][kind] for found in seeds.values()]
            cells = (spread([one[metric] for one in of_seeds]) if metric in values else "-" for metric in metrics)
            rows.append([kind, *cells])
        title = f"{Path(corpus).name}, {first['photos']:,} photos, seeds: {', '.join(seeds)}"
        parts.append(f"{title}\n\n" + markdown(["search", *metrics], rows))
        for title, digits in (("bytes a product", 0), ("CPU ms a query", 1)):
            cells = [f"{value:,.{digits}f}" for value in first[title].values()]
            parts.append(markdown([title, *first[title]], [["", *cells]]))
    return "\n\n".join(parts)


def _name(weight: float) -> str:
    return f"late interaction, w = {weight}" if weight else "photo"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="runs/quickstart/e2/best", help="folder or Hub id of an E2, with {seed}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--corpus", default="generated", help='"generated", a path or a Hub id')
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; default: the corpus' own")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--table", action="store_true", help="only print the results file")
    arguments = parser.parse_args()
    if len(arguments.seeds) > 1 and "{seed}" not in arguments.model:
        parser.error("`--model` must have {seed} in it where there are several `--seeds`")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not arguments.table:
        for seed in arguments.seeds:
            results.setdefault(arguments.corpus, {})[str(seed)] = measure(arguments, seed)
            write_json(results, RESULTS)
    print(tables(results))


if __name__ == "__main__":
    main()
