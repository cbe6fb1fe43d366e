"""Tables with a row for each attribute, learnt or projected from texts; they grow when an attribute is added.

Shapes: A attributes, rows of width P, text vectors of width T.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from .configuration_attribute import AttributeConfig


def as_values(values: Sequence[str] | str) -> list[str]:
    """Return the values of an attribute as a list; a text is one value, and an empty one is none.

    Args:
        values (`list[str]` or `str`): values.

    Raises:
        ValueError: if they are no list of strings, one is blank or comes twice.
    """
    if isinstance(values, str):
        return [values] if values else []
    found = list(values) if isinstance(values, Iterable) else [values]
    if not all(isinstance(value, str) and value.strip() for value in found) or len(set(found)) != len(found):
        raise ValueError(f"`values` must be distinct strings, none of them blank; got {found}.")
    return found


class TextAttributeTable(nn.Module):
    """Embed attributes by their texts: a learnt projection of frozen text vectors, which are saved with the model.

    A row is `projection(norm(text - mean)) + offset`. The mean is that of the attributes that the projection is
    trained on: names of attributes are similar as texts, and only their differences tell them apart. Offsets are 0
    until a row is set.

    Args:
        num_attributes (`int`): A.
        text_dim (`int`): T.
        attribute_dim (`int`): P.
    """

    def __init__(self, num_attributes: int, text_dim: int, attribute_dim: int):
        super().__init__()
        self.projection = nn.Linear(text_dim, attribute_dim)
        self.register_buffer("texts", torch.randn(num_attributes, text_dim))
        self.register_buffer("mean", torch.zeros(text_dim))
        self.register_buffer("offsets", torch.zeros(num_attributes, attribute_dim))

    def forward(self, attribute_ids: torch.Tensor) -> torch.Tensor:
        """Return the rows of attributes.

        Args:
            attribute_ids (`torch.Tensor` of shape `(B, K)`): positions in the table.

        Returns:
            `torch.Tensor` of shape `(B, K, P)`: rows.
        """
        centred = nn.functional.layer_norm(self.texts - self.mean, self.mean.shape)  # (A, T)
        return (self.projection(centred) + self.offsets)[attribute_ids]

    def set_texts(self, texts: torch.Tensor) -> None:
        """Set the texts of all attributes, and their mean.

        Args:
            texts (`torch.Tensor` of shape `(A, T)`): text vectors, of any length but 0.
        """
        texts = nn.functional.normalize(texts.to(self.texts), dim=-1)
        self.texts.copy_(texts)
        self.mean.copy_(texts.mean(0) if len(texts) > 1 else torch.zeros_like(self.mean))


def make_table(config: AttributeConfig) -> nn.Embedding | TextAttributeTable:
    """Make the table of a model: learnt rows, or with `attribute_text_dim` rows projected from texts.

    Args:
        config (`AttributeConfig`): `attribute_names`, `attribute_text_dim`, and the model's `attribute_dim`.
    """
    if config.attribute_text_dim is None:
        return nn.Embedding(config.num_attributes, config.attribute_dim)
    return TextAttributeTable(config.num_attributes, config.attribute_text_dim, config.attribute_dim)


@torch.no_grad()
def add_row(table: nn.Embedding | TextAttributeTable, text_embeds: torch.Tensor | None = None) -> None:
    """Append a row: the mean of the others, or by a text.

    Args:
        table (`nn.Embedding` or `TextAttributeTable`): the table, whose other rows stay as they are, bit for bit.
        text_embeds (`torch.Tensor` of shape `(T,)`, *optional*): text vector, for a `TextAttributeTable`.
    """
    if isinstance(table, TextAttributeTable):
        text = nn.functional.normalize(text_embeds.to(table.texts), dim=-1)
        table.texts = torch.cat([table.texts, text[None]])
        table.offsets = torch.cat([table.offsets, torch.zeros_like(table.offsets[:1])])
    else:
        _replace_rows(table, torch.cat([table.weight, table.weight.mean(0, keepdim=True)]))


@torch.no_grad()
def keep_rows(table: nn.Embedding | TextAttributeTable, places: Sequence[int]) -> None:
    """Keep some rows of a table, in the order given.

    Args:
        table (`nn.Embedding` or `TextAttributeTable`): the table.
        places (`Sequence[int]`): their positions.
    """
    places = list(places)
    if isinstance(table, TextAttributeTable):
        table.texts, table.offsets = table.texts[places], table.offsets[places]
    else:
        _replace_rows(table, table.weight[places])


@torch.no_grad()
def set_row(table: nn.Embedding | TextAttributeTable, place: int, row: torch.Tensor) -> None:
    """Set a row of a table; of one projected from texts by its offset.

    Args:
        table (`nn.Embedding` or `TextAttributeTable`): the table, whose other rows stay as they are, bit for bit.
        place (`int`): position of the row.
        row (`torch.Tensor` of shape `(P,)`): its new values.
    """
    if isinstance(table, TextAttributeTable):
        table.offsets[place] = 0
        table.offsets[place] = row.to(table.offsets) - table(torch.tensor(place, device=table.offsets.device))
    else:
        table.weight[place] = row.to(table.weight)


def _replace_rows(table: nn.Embedding, rows: torch.Tensor) -> None:
    table.weight = nn.Parameter(rows, requires_grad=table.weight.requires_grad)
    table.num_embeddings = len(rows)


class AttributeRows:
    """The attributes of a model by name: add, keep, set the rows of its table. A model inherits from it."""

    @property
    def attribute_table(self) -> nn.Embedding | TextAttributeTable | None:
        """`nn.Embedding`, `TextAttributeTable` or `None`: the table with a row for each attribute."""
        return getattr(self, "attribute_embedding", None)

    def add_attribute(
        self, name: str, values: Sequence[str] = (), text_embeds: torch.Tensor | None = None
    ) -> "AttributeRows":
        """Add an attribute: the configuration and the table grow by one, and embeddings of the others stay the same.

        The row of a model whose attributes are given by text follows from the text (zero-shot). That of others is the
        mean of their rows and means nothing yet: fit it with `hf_fashion.fit_attribute`, or train the model. Both
        make new parameters, so an optimiser must be made afterwards.

        Args:
            name (`str`): name of the attribute.
            values (`list[str]`, *optional*): its values.
            text_embeds (`torch.Tensor` of shape `(attribute_text_dim,)`, *optional*): vector of its text, from
                `hf_fashion.embed_attribute_texts`; only for models with `config.attribute_text_dim`, which need it.

        Returns:
            The model.

        Raises:
            ValueError: if the model has the attribute or no table of rows, a value is no string, is blank or comes
                twice, or the text does not fit the model.
        """
        config, table = self.config, self._require_table()
        values = as_values(values)
        if not isinstance(name, str) or not name.strip() or name in config.attribute_names:
            raise ValueError(f"`name` must be a new name, other than {list(config.attribute_names)}; got {name!r}.")
        self._check_text(text_embeds)
        add_row(table, text_embeds)
        config.attribute_names = [*config.attribute_names, name]
        config.attribute_values = config.attribute_values | {name: values}
        return self

    def keep_attributes(self, names: Sequence[str]) -> "AttributeRows":
        """Keep some attributes and drop the others; embeddings of those that are kept stay the same.

        Args:
            names (`list[str]`): attributes of the model, in the order that they are to have.

        Returns:
            The model.

        Raises:
            ValueError: if the model lacks one of them, one comes twice or there is none.
        """
        known, names = list(self.config.attribute_names), list(names)
        if not names or len(set(names)) != len(names) or not set(names) <= set(known):
            raise ValueError(f"`names` must be some of {known}, each once; got {names}.")
        keep_rows(self._require_table(), [known.index(name) for name in names])
        self.config.attribute_values = {name: self.config.attribute_values[name] for name in names}
        self.config.attribute_names = names
        return self

    @torch.no_grad()
    def attribute_rows(self) -> torch.Tensor:
        """Return the row of each attribute, (A, P): its embedding, of CSN its mask before the ReLU."""
        return self._require_table()(torch.arange(self.config.num_attributes, device=self.device))

    def set_attribute_row(self, name: str, row: torch.Tensor) -> None:
        """Set the row of an attribute; the others stay as they are.

        Args:
            name (`str`): the attribute.
            row (`torch.Tensor` of shape `(P,)`): its row, as [`~AttributeRows.attribute_rows`] has them.

        Raises:
            ValueError: if the model has no such attribute, or the row has another shape.
        """
        names, rows = list(self.config.attribute_names), self.attribute_rows()
        if name not in names:
            raise ValueError(f"`name` must be one of {names}; got {name!r}.")
        if row.shape != rows.shape[1:]:
            raise ValueError(f"`row` must have shape {tuple(rows.shape[1:])}; got {tuple(row.shape)}.")
        set_row(self._require_table(), names.index(name), row)

    def _require_table(self) -> nn.Embedding | TextAttributeTable:
        table = self.attribute_table
        if table is None:
            raise ValueError(
                f"This {type(self).__name__} has one embedding for all attributes and no row for each: there is none "
                'to add, keep or set: take `head="asen"` or `head="csn"`.'
            )
        if not isinstance(table, (nn.Embedding, TextAttributeTable)):
            raise ValueError(
                f"The table of attributes is wrapped in a {type(table).__name__}, by an adapter for instance: merge "
                "the adapter into the model first (`merge_and_unload()`)."
            )
        return table

    def _check_text(self, text_embeds: torch.Tensor | None) -> None:
        width = self.config.attribute_text_dim
        if width is None and text_embeds is not None:
            raise ValueError(
                "`text_embeds` is for models trained with attributes given by text (`config.attribute_text_dim`, "
                "`model.attribute_texts` in a recipe); the attributes of this one are learnt rows: leave it out."
            )
        if width is not None and (text_embeds is None or text_embeds.shape != (width,)):
            came = "none" if text_embeds is None else tuple(text_embeds.shape)
            raise ValueError(
                f"`text_embeds` must have shape ({width},), from the text encoder that this model was trained with "
                f"(`hf_fashion.embed_attribute_texts`); got {came}."
            )

    @torch.no_grad()
    def set_attribute_texts(self, text_embeds: torch.Tensor) -> None:
        """Set the text vectors of all attributes, from which their rows are projected; done before training.

        Args:
            text_embeds (`torch.Tensor` of shape `(A, attribute_text_dim)`): from `hf_fashion.embed_attribute_texts`.

        Raises:
            ValueError: if the model has no `config.attribute_text_dim`, or the vectors have another shape.
        """
        wanted = (self.config.num_attributes, self.config.attribute_text_dim)
        if text_embeds.shape != wanted:
            raise ValueError(
                "`text_embeds` must have shape (num_attributes, config.attribute_text_dim), which is "
                f"{wanted}; got {tuple(text_embeds.shape)}."
            )
        self._require_table().set_texts(text_embeds)


__all__ = ["AttributeRows", "TextAttributeTable", "add_row", "as_values", "keep_rows", "make_table", "set_row"]
