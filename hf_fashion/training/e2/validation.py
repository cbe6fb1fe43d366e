"""The evaluation that a training run repeats: retrieval among distinct titles of the validation split."""

import logging
from collections.abc import Iterator

import torch
from datasets import Dataset
from torch import Tensor

from ...data.products import ProductCollator, ProductDataset
from ...embedding.batches import embed_batches
from ...embedding.corpus import equality_ids, photo_ids
from ...evaluation.cross_modal_candidates import choose_candidates
from ...metrics import cross_modal_recall
from ...texts import tokenize


logger = logging.getLogger(__name__)


def equal_inputs(
    dataset: Dataset, image_column: str, products: ProductDataset, collator: ProductCollator
) -> tuple[Tensor, Tensor]:
    """Return integers (C,) for photos and for texts of [`validate`], equal where no model can tell them apart.

    Args:
        dataset (`Dataset`): the validation split.
        image_column (`str`): its column of photos.
        products (`ProductDataset`): the same rows.
        collator (`ProductCollator`): its tokenizer.

    Raises:
        ValueError: a row has no photo.
    """
    rows = choose_candidates(products.titles).image_rows.tolist()
    tokenizer = collator.processor.tokenizer
    tokens = tokenize(tokenizer, [products.texts[row] for row in rows], tokenizer.model_max_length).input_ids
    return photo_ids(dataset.select(rows), image_column), equality_ids(map(tuple, tokens))


def validate(
    model,
    products: ProductDataset,
    collator: ProductCollator,
    inputs: tuple[Tensor, Tensor],
    batch_size: int = 256,
) -> dict[str, float]:
    """Return recall@1, 5 and 10 in both directions and their sum, over the first product of every distinct title.

    Args:
        model (`E2Model`, `CLIPModel` or `FilipModel`): the model, unwrapped.
        products (`ProductDataset`): the validation split.
        collator (`ProductCollator`): makes the batches.
        inputs (`tuple[torch.Tensor, torch.Tensor]`): from [`equal_inputs`], for the ceilings.
        batch_size (`int`, *optional*, defaults to 256): products in a forward pass.

    Returns:
        `dict[str, float]`: metrics of `cross_modal_recall`; `sum_recall` is the primary one.
    """
    rows = choose_candidates(products.titles).image_rows.tolist()
    batches = _batches(products, rows, collator, batch_size)
    embeds = embed_batches(model, batches, "validation", progress=False)
    labels = torch.arange(len(rows))
    return cross_modal_recall(embeds["image_embeds"], embeds["text_embeds"], labels, labels, *inputs)


def warn_of_few_titles(products: ProductDataset) -> None:
    """Warn if [`validate`] would have one title to choose from, so that no model is better than another.

    Args:
        products (`ProductDataset`): the validation split.
    """
    if len(choose_candidates(products.titles).image_rows) < 2:
        logger.warning(
            "The validation split has one distinct title: recall is 1 with every model, and `best/` stays the first "
            "one. Give it more products (`data.validation_split`, `data.validation_fraction`)."
        )


def _batches(
    products: ProductDataset, rows: list[int], collator: ProductCollator, batch_size: int
) -> Iterator[dict[str, Tensor]]:
    # No DataLoader: starting one draws from the global random state, which would change a resumed run.
    for start in range(0, len(rows), batch_size):
        yield collator([products[row] for row in rows[start : start + batch_size]])
