"""Find tags and attributes that disagree with what a model sees in the photo."""

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ..embedding.attribute_corpus import embed_attributes, model_attribute_ids
from ..embedding.capabilities import attribute_names
from ..embedding.corpus import embed_images, embed_texts
from ..evaluation.tags import region_embeds_by_entity
from .audited_corpus import AuditedCorpus, Row
from .label_issues import find_label_issues, neighbour_probabilities
from .wording import wording


# Fewer photos of an attribute have no neighbours to be compared with.
MIN_LABELLED = 20


def find_disagreements(
    model: PreTrainedModel,
    processor: ProcessorMixin | BaseImageProcessor,
    corpus: AuditedCorpus,
    readable: Sequence[int],
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, dict[str, Any]]:
    """Return the rows whose tag or attribute the model does not believe, the worst first.

    E2, CLIP and SigLIP name the tag from the photo, by its text and from the entity's region where the model has one.
    An attribute-specific model compares each photo with its ten nearest neighbours in the attribute. The issues are
    those of [`find_label_issues`], without the labels that the row's caption confirms: it names the value, and not
    what the model sees. Rows with several values of an attribute are left out.

    Args:
        model (`PreTrainedModel`): E2, CLIP, SigLIP or an attribute-specific model.
        processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
        corpus (`AuditedCorpus`): the rows.
        readable (`Sequence[int]`): the rows whose photo can be read, in ascending order.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): whether to show bars.

    Returns:
        `dict`: name -> `judged`, how many rows; `agreement`, the share for whose own value the model decides;
        `majority_rate`, the share of the most frequent value; `confirmed`, how many more the model does not believe,
        but the caption does; and `issues`, dicts of `row`, `value`, `seen`, `strength` and `caption_agrees` (whether
        the caption names what the model sees, and not the value), those first that the caption agrees with. A name
        that cannot be judged has a `problem` in place of them.

    Raises:
        ValueError: the column map names nothing that the model can judge.
    """
    by_attribute = attribute_names(model)
    names = corpus.column_map.attributes if by_attribute else corpus.column_map.tags
    chosen = [name for name in names if not by_attribute or name in by_attribute]
    if not chosen:
        kind = f"`attributes` of the model ({', '.join(by_attribute)})" if by_attribute else "`tags`"
        raise ValueError(f"the column map names no {kind}: the model has nothing to judge. Leave out `model`")
    labels = {name: _Judged(corpus.values(names[name]), readable) for name in chosen}
    judged = {name: its for name, its in labels.items() if its.problem is None}
    if not judged:
        return {name: {"problem": its.problem} for name, its in labels.items()}
    read = _attribute_probabilities if by_attribute else _tag_probabilities
    probabilities = read(model, processor, list(corpus.parts(readable)), corpus, judged, batch_size, progress)
    captions = corpus.captions
    return {
        name: its.issues(probabilities[name], captions) if name in judged else {"problem": its.problem}
        for name, its in labels.items()
    }


class _Judged:
    """The labels of one column: of the readable rows with exactly one value."""

    def __init__(self, values: Sequence[Sequence[str]], readable: Sequence[int]):
        self.places = [place for place, row in enumerate(readable) if len(values[row]) == 1]
        self.rows = [readable[place] for place in self.places]
        own = [values[row][0] for row in self.rows]
        self.vocabulary = sorted(set(own))
        numbers = {value: number for number, value in enumerate(self.vocabulary)}
        self.labels = torch.tensor([numbers[value] for value in own], dtype=torch.long)

    @property
    def problem(self) -> str | None:
        """Why the labels cannot be judged."""
        if len(self.rows) < MIN_LABELLED:
            return f"{len(self.rows):,} rows have one value of it, and {MIN_LABELLED} are needed"
        return f"all of its labels are {self.vocabulary[0]!r}" if len(self.vocabulary) == 1 else None

    def issues(self, probabilities: Tensor, captions: Sequence[str | None]) -> dict[str, Any]:
        agreement = (probabilities.argmax(dim=1) == self.labels).float().mean().item()
        issues, confirmed = [], 0
        for issue in find_label_issues(probabilities, self.labels):
            row, value, seen = self.rows[issue.place], self.vocabulary[issue.value], self.vocabulary[issue.seen]
            caption = wording(captions[row] or "")
            if wording(value) in caption and wording(seen) not in caption:
                confirmed += 1
                continue
            agrees = wording(seen) in caption and wording(value) not in caption
            found = {"row": Row(row), "value": value, "seen": seen, "strength": issue.strength}
            issues.append(found | {"caption_agrees": agrees})
        issues.sort(key=lambda issue: not issue["caption_agrees"])
        majority = self.labels.bincount().max().item() / len(self.labels)
        rates = {"judged": len(self.rows), "agreement": agreement, "majority_rate": majority}
        return rates | {"confirmed": confirmed, "issues": issues}


def _tag_probabilities(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    parts: Sequence[Dataset],
    corpus: AuditedCorpus,
    judged: dict[str, _Judged],
    batch_size: int,
    progress: bool,
) -> dict[str, Tensor]:
    """Of each tag's texts: softmax of the scores at the model's own temperature, (M, V) for M judged rows."""
    found = [
        embed_images(model, processor, part, corpus.column_map.image, batch_size, progress=progress) for part in parts
    ]
    kinds = [name for name in ("image_embeds", "region_embeds") if name in found[0]]
    images = {name: torch.cat([part[name] for part in found]) for name in kinds}
    regions = region_embeds_by_entity(model, images)
    scale = model.logit_scale.exp().item()
    probabilities = {}
    for name, labels in judged.items():
        texts, _ = embed_texts(model, processor, labels.vocabulary, progress=progress)
        embeds = regions.get(name, images["image_embeds"])[labels.places]
        probabilities[name] = (scale * embeds @ texts.T).softmax(dim=1)
    return probabilities


def _attribute_probabilities(
    model: PreTrainedModel,
    processor: BaseImageProcessor,
    parts: Sequence[Dataset],
    corpus: AuditedCorpus,
    judged: dict[str, _Judged],
    batch_size: int,
    progress: bool,
) -> dict[str, Tensor]:
    """The shares of values among the nearest neighbours, (M, V) for M judged rows."""
    wanted = torch.zeros(sum(map(len, parts)), len(judged), dtype=torch.bool)
    for number, labels in enumerate(judged.values()):
        wanted[labels.places, number] = True
    ids = model_attribute_ids(model, list(judged))
    pieces = [
        _embed_part(model, processor, part, rows, ids, corpus.column_map.image, batch_size, progress)
        for part, rows in zip(parts, wanted.split([len(part) for part in parts]), strict=True)
    ]
    return {
        name: neighbour_probabilities(
            torch.cat([piece[number] for piece in pieces if number in piece]), labels.labels, len(labels.vocabulary)
        )
        for number, (name, labels) in enumerate(judged.items())
    }


def _embed_part(model, processor, part, wanted, ids, image_column, batch_size, progress) -> dict[int, Tensor]:
    """Number of an attribute -> its embeddings, of the attributes that any row of the part is labelled for."""
    present = wanted.any(dim=0).nonzero().flatten().tolist()
    if not present:
        return {}
    asked = [ids[number] for number in present]
    found = embed_attributes(
        model, processor, part, wanted[:, present], asked, image_column, batch_size, progress=progress
    )
    return dict(zip(present, found, strict=True))
