"""Report on models that read text (E2, CLIP): tables that compare them, sentences, and pictures of E2's results."""

from collections.abc import Mapping, Sequence
from typing import Any

from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.photos.stored_photos import StoredPhotos
from ..data.values import caption_texts, column_texts
from ..embedding.corpus import embed_texts
from ..evaluation.cross_modal_candidates import choose_candidates
from ..evaluation.tags import region_embeds_by_entity
from .attention_pictures import region_strips
from .report_page import paragraph, picture
from .search_examples import ShowcaseData, photos_by_tag, photos_by_title, titles_by_photo
from .tables import LOCALISATION_COLUMNS, Cells, cell, entity_cells


Metrics = Mapping[str, Any]

DIRECTIONS = {"image to text": "image_to_text", "text to image": "text_to_image"}
TAGS_SHOWN = 2
FRAMES = paragraph("The first products of the validation split, not the best. Right results have a green frame.")
BOXES = paragraph("Red: what the tokens of a tag look at. Green outline: the tag's true box.")


def compare_e2(results: Mapping[str, Metrics], entities: Sequence[str]) -> dict[str, Cells]:
    """Return tables that compare models, title -> header and rows.

    Args:
        results (`Mapping[str, Mapping[str, Any]]`): model -> its `cross_modal`, `tags` and, for `E2`, `localisation`.
        entities (`Sequence[str]`): the tags.
    """
    cross_modal, tags = ({name: row[key] for name, row in results.items()} for key in ("cross_modal", "tags"))
    localisation = results["E2"]["localisation"]
    return {
        "Search among the validation photos": recall_comparison(cross_modal),
        "Tags named right, without training on them as classes": tag_comparison(tags, entities),
        "Where E2's tokens look": entity_cells(localisation, localisation["rows"], LOCALISATION_COLUMNS),
    }


def recall_comparison(metrics: Mapping[str, Metrics], ks: Sequence[int] = (1, 5, 10)) -> Cells:
    """Return recall of every model in percent, next to chance and to the ceiling of a perfect model.

    Args:
        metrics (`Mapping[str, Mapping[str, Any]]`): model -> from `evaluate_cross_modal` with
            `pairing="distinct_titles"`, of the same candidates.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): numbers of results.

    Returns:
        Header and rows: a row a direction and k, a column a model, then `chance` and `ceiling`.
    """
    first = next(iter(metrics.values()))
    rows = []
    for label, direction in DIRECTIONS.items():
        candidates = first["num_texts" if direction == "image_to_text" else "num_images"]
        for k in ks:
            chance = min(1.0, k / candidates)
            values = [row[f"{direction}_recall@{k}"] for row in metrics.values()]
            ceiling = first[f"{direction}_recall_ceiling@{k}"]
            rows.append([f"{label} R@{k}", *map(cell, [*values, chance, ceiling])])
    return ["%", *metrics, "chance", "ceiling"], rows


def tag_comparison(metrics: Mapping[str, Metrics], entities: Sequence[str]) -> Cells:
    """Return the accuracy of naming a photo's tag, from image and, where a model has them, region embeddings.

    Args:
        metrics (`Mapping[str, Mapping[str, Any]]`): model -> from `evaluate_tags`, of the same photos.
        entities (`Sequence[str]`): the rows.

    Returns:
        Header and rows; `most frequent` is the accuracy of always naming the most frequent tag.
    """
    first = next(iter(metrics.values()))
    kinds = [
        (f"{model}, {kind}", kind, row)
        for model, row in metrics.items()
        for kind in ("image", "region")
        if f"{entities[0]}_{kind}_accuracy" in row
    ]
    rows = []
    for entity in entities:
        values = [row[f"{entity}_{kind}_accuracy"] for _, kind, row in kinds]
        values.append(first[f"{entity}_majority_rate"])
        rows.append([entity, str(first[f"{entity}_num_tags"]), *map(cell, values)])
    return ["%", "tags", *(label for label, _, _ in kinds), "most frequent"], rows


def summarise_e2(results: Mapping[str, Metrics]) -> list[str]:
    """Return the main results of the models in sentences.

    Args:
        results (`Mapping[str, Mapping[str, Any]]`): as in `compare_e2`, with `parameters`.
    """
    recalls = [
        f"{name} {cell(row['cross_modal']['image_to_text_recall@1'])} / "
        f"{cell(row['cross_modal']['text_to_image_recall@1'])}"
        for name, row in results.items()
    ]
    sizes = [f"{name} ({row['parameters']:,} parameters)" for name, row in results.items()]
    chance = cell(1 / results["E2"]["cross_modal"]["num_texts"])
    named = ", ".join(f"{name} {cell(row['tags']['mean_tag_accuracy'])} %" for name, row in results.items())

    localisation = results["E2"]["localisation"]
    brand = [
        f"after layer {row.rsplit('_', 1)[1]} {cell(localisation[row + '_centre_inside'])} % "
        f"(chance {cell(localisation[row + '_centre_inside_chance'])} %)"
        for row in localisation["rows"]
        if row.startswith("brand_")
    ]
    return [
        f"{' and '.join(sizes)} saw the same data in the same number of steps, from scratch.",
        f"R@1 in percent, image to text / text to image: {', '.join(recalls)}, chance {chance}.",
        f"Tags named right, the mean of all entities, by E2 from its regions, else from the whole photo: {named}.",
        "Share of the images in which a brand token picks a patch whose centre is in the true brand box: "
        f"{', '.join(brand)}.",
    ]


def show_e2(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    split: Dataset,
    column_map: ColumnMap,
    images: Mapping[str, Tensor],
    examples: Sequence[int],
) -> list[tuple[str, str]]:
    """Return the report's sections with pictures of E2's results: heading and HTML.

    Args:
        model (`PreTrainedModel`): an E2 with a fusion block.
        processor (`ProcessorMixin`): its processor.
        split (`Dataset`): the rows to search, with true `boxes`.
        column_map (`ColumnMap`): names photo, caption and tags.
        images (`Mapping[str, torch.Tensor]`): from `embed_images`, of the split.
        examples (`Sequence[int]`): the queries, counted among the rows with distinct titles.
    """
    rows = choose_candidates(caption_texts(split, column_map.caption)).image_rows
    titled = split.select(rows)
    titles, photos = titled[column_map.caption][:], StoredPhotos(titled, column_map.image)
    text_embeds, _ = embed_texts(model, processor, titles, progress=False)
    data = ShowcaseData(photos, titles, images["image_embeds"][rows], text_embeds)
    sections = [
        ("Photos for a title", FRAMES + photos_by_title(data, examples)),
        ("Titles for a photo", titles_by_photo(data, examples)),
    ]
    for entity, embeds in region_embeds_by_entity(model, images).items():
        tags = column_texts(titled, column_map.tags[entity])
        queries = sorted(filter(None, set(tags)))[:TAGS_SHOWN]
        tag_embeds, _ = embed_texts(model, processor, queries, progress=False)
        found = photos_by_tag(data, queries, tag_embeds, embeds[rows], tags)
        sections.append((f"Photos for a tag, by the region embedding: {entity}", found))
    strips = region_strips(model, processor, titled, examples)
    maps = (picture(strip, f"Heat maps: {title}", title, "wide") for strip, title in zip(strips, titles, strict=False))
    return [*sections, ("Where the tokens of each tag look", BOXES + "\n".join(maps))]
