"""Pipeline that searches a gallery by photo, text, attribute and weighted terms, and re-ranks the results.

This file is saved with the model, together with all that it imports relatively (`travelling_code.py`). hf_fashion
itself is imported only to open a gallery by its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.data import Dataset
from transformers import BaseImageProcessor, Pipeline, PreTrainedModel, ProcessorMixin

from ..embedding.capabilities import check_attribute, check_entity, space_names
from ..embedding.changes.changed_query import ChangedQuery
from ..embedding.changes.combiners import load_combiner
from ..embedding.changes.edited_descriptions import read_editor
from ..embedding.encoder import Encoder
from ..embedding.queries import holds_several
from ..embedding.query_photos import PhotoSources, Pixels
from ..retrieval.rerankers.loading import load_reranker
from ..retrieval.rerankers.reasoning import ReasoningReranker
from ..retrieval.rerankers.reranking import Reranker, rerank
from ..retrieval.results import RetrievalResults
from ..travelling_code import save_code
from .change_fashion_retrieval import ChangeSearch, search_changed
from .heat_maps_fashion_retrieval import heat_maps
from .options_fashion_retrieval import check_names, check_types, given, split_options
from .photos_fashion_retrieval import open_photos, photo_for
from .search_fashion_retrieval import CandidateFinder, read_vectors
from .threshold_fashion_retrieval import apply_threshold


TASK = "fashion-retrieval"
# Candidates of a re-ranker whose weights are not made for a certain number of them.
DEFAULT_NUM_CANDIDATES = 100


class FashionRetrievalPipeline(Pipeline):
    """Search a gallery for the products nearest to a query.

    ```python
    search = pipeline("fashion-retrieval", model="my_model", gallery="my_gallery")
    search(photo)                                       # a photo: PIL, pixels, bytes, its path or URL
    search("a red dress with stripes")                  # a text, for models that read text
    search({"green shirt": 1, "buttons": -0.5})         # weighted texts, negative ones to avoid
    search({"image": photo, "terms": {"in blue": 0.7}, "image_weight": 0.5}, filter="price < 50")
    search({"image": photo, "change": "in red"})        # a photo and what is different about the products to find
    search({"image": photo, "attribute": "neckline"})   # for attribute-specific models
    search({"text": "Lumaro", "entity": "brand"})       # for E2 and a gallery with the regions of photos
    search([{"text": "a coat", "top_k": 3}, "a dress"])  # many queries, each with options of its own
    ```

    A query is a dict with an `"image"`, `"terms"` (a dict of texts and their weights) or both; `"image_weight"` (1 if
    not given); and `"attribute"` or `"entity"`. `"text"` is short for one term of weight 1. Only an image, only a
    string and only a dict of weights are short forms of a query. A string that begins like a URL or ends like an image
    file is an image.
    A dict may also have the call's `top_k`, `filter`, `threshold`, `group_by`, `num_candidates`, `late_interaction`
    and `change_by`, for this query.

    Photo and terms are embedded one by one and L2-normalised. The gallery is searched by their weighted sum,
    normalised again. With an entity, products are compared by their regions of it, and the query's photo by its own.

    Args:
        model (`PreTrainedModel`): E2, CLIP, or an attribute-specific model: the one that embedded the gallery.
        gallery ([`Gallery`], `str` or `Path`): the gallery, its path or URI, or its id on the Hub, `owner/name`, from
            where it is loaded once, as by [`Gallery.from_pretrained`]. It may be any object with the calls `info`,
            `check_model`, `search`, `vectors` and `len` of a [`Gallery`]; its `search` may return any object with the
            `ids`, `scores`, `metadata` and `vectors` of [`RetrievalResults`], the last two of which may be `None`.
        reranker (`FeatureReasoningModel`, `str`, `Path` or `Callable`, *optional*): re-ranks the first candidates: an
            FR, its path or Hub id, `"query_expansion"`, `"k_reciprocal"`, or a function `(query_embeds (Q, d),
            candidate_embeds (Q, k, d), candidate_mask (Q, k)) -> scores (Q, k)`, higher is better.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): the model's; loaded with it.
        image_processor (`BaseImageProcessor`, *optional*): instead of `processor`, for models without text.
        photos (`Dataset`, `Mapping`, `str` or `Path`, *optional*): the products' photos: each result then has an
            `"image"`. A catalogue, as `hf-fashion embed --corpus` takes it or as a dataset; or a dict from id to
            photo, in any form of a query's photo.
        id_column (`str`, *optional*): column of `photos` with the ids. Needed for a dataset; of a catalogue by its
            name the default is that of `hf-fashion embed`.
        image_column (`str`, *optional*): column of `photos` with the photos. Default: `image`, or the column map's.
        allow_paths (`bool`, *optional*, defaults to `True`): whether a query may name a photo by its path on this
            machine. Turn it off where queries come from others.
        allow_urls (`bool`, *optional*, defaults to `True`): whether a query may name a photo by its URL. It is fetched
            from public addresses only, 20 MB at most, within 10 seconds. Turn it off where queries come from others.
        editor (`Pipeline` or `Callable`, *optional*): edits the description of a photo for a `change`: a
            text-generation pipeline, or a function `(description, change) -> description`. Default: rules over the
            gallery's tags.
        combiner (`CombinerModel`, `str` or `Path`, *optional*): moves queries with a `change`: a combiner that was
            trained with this model, its path or Hub id.
        kwargs (`Any`): `device`, `batch_size`, `num_workers` as for every pipeline; options of the call, as defaults
            for all calls.

    Raises:
        ValueError: there is no gallery, it is empty, was embedded by another model, or has a space that the model does
            not serve; `reranker` is none of these, or an FR of another model; `combiner` is
            none, was trained with another model, or searches regions that the gallery does not keep; there is no image
            processor; `photos` has no photo of any product; or a default is not as in the call.
        FileNotFoundError: there is no such gallery, here or on the Hub.
        ImportError: `gallery` or `photos` is not open, and hf_fashion or its database is not installed.
    """

    _load_processor = None
    _load_image_processor = None
    _load_tokenizer = False
    _load_feature_extractor = False
    _load_video_processor = False

    def __init__(
        self,
        model: PreTrainedModel,
        gallery: Any = None,
        reranker: Any = None,
        processor: ProcessorMixin | BaseImageProcessor | None = None,
        image_processor: BaseImageProcessor | None = None,
        photos: Any = None,
        id_column: str | None = None,
        image_column: str | None = None,
        allow_paths: bool = True,
        allow_urls: bool = True,
        editor: Any = None,
        combiner: Any = None,
        **kwargs,
    ):
        if processor is not None:
            image_processor = getattr(processor, "image_processor", processor)
            kwargs["tokenizer"] = getattr(processor, "tokenizer", None)
        if image_processor is None:
            raise ValueError(f"`processor` must be given: none could be loaded for {type(model).__name__}")
        self.sources = PhotoSources(allow_paths, allow_urls)
        self.finder = CandidateFinder(gallery)
        self.encoder = Encoder(model.eval(), image_processor, kwargs.get("tokenizer"))
        self.finder.check_model(self.encoder)
        self.combiner = None if combiner is None else load_combiner(combiner)
        editor = None if editor is None else read_editor(editor)
        self.changes = ChangeSearch(self.encoder, self.finder, editor, self.combiner)
        self.photos = None if photos is None else open_photos(photos, self.finder.gallery, id_column, image_column)
        self.reranker: Reranker | None = None if reranker is None else load_reranker(reranker)
        super().__init__(model, processor=processor, image_processor=image_processor, **kwargs)
        if isinstance(self.reranker, ReasoningReranker):
            self.reranker.check_embedder(self.finder.fingerprint)
            self.reranker.to(self.device)
        if self.combiner is not None:
            self.combiner.to(self.device)

    def __call__(self, inputs: Any, **kwargs: Any) -> list[dict[str, Any]] | list[list[dict[str, Any]]]:
        """Search by one query or by many.

        Args:
            inputs (`Any`): a query (see the class); a list, tuple or other sequence of them, such as the column
                `dataset["image"]`, or a batch of pixels (N, H, W, 3); or an iterator or torch dataset of them, for
                which an iterator is returned.
            kwargs (`Any`): those of transformers' pipelines, such as `batch_size`, and, where `None` switches a
                default of the pipeline off,

                - `top_k` (`int`, defaults to 10): results for a query, at most as many as the gallery has products.
                  There are fewer where `filter`, `threshold` or `group_by` leave fewer, or the gallery is smaller than
                  the default.
                - `filter` (`str` or `Mapping`): condition on the metadata, as SQL or a dict, as in [`Gallery.search`].
                - `threshold` (`float`): least score of a result.
                - `group_by` (`str`): metadata column; of products with the same value only the best one is kept, such
                  as one photo of each product. Products without a value are all kept. Groups are looked for among
                  the `max_top_k` nearest products of a gallery that has this limit.
                - `attribute` (`str`): attribute of queries that have none.
                - `entity` (`str`): tag entity of queries that have none; the gallery must keep the regions of photos.
                - `late_interaction` (`float`): weight w, 0 to 1, of the best region in the score of a text, `(1 - w) *
                  cosine(text, photo) + w * max over entities of cosine(text, region)`, exact for the 100 products
                  with the nearest photos; those behind stay in their order. The gallery must keep the regions. It does
                  not change queries with a photo or an entity.
                - `change_by` (`str`): how queries with a `change` are searched; `"combiner"` by default where there is
                  a `combiner`, else `"arithmetic"`. It does not change other queries, and none has it as its own.
                  `"arithmetic"`: in a gallery with regions, the region of what the words name is replaced by the
                  words, and the others stay; else the photo's embedding is moved as the words move the description of
                  its tags. `"text"`: by that description, edited. `"combiner"`: by the query of `"arithmetic"`, which
                  the `combiner` moves.
                - `num_candidates` (`int`): candidates that the re-ranker gets; needs a re-ranker. Default: the number
                  that an FR is made for, 100 for others.

        Returns:
            `list[dict]`, for several queries a list of those: `id`; `score`, the cosine of query and product, with
            `late_interaction` the sum above, with a `change` in regions a weighted sum of cosines (of products behind
            the first 100 one cosine, and never more than before it); `rank`, from 1;
            `initial_rank`, the rank before the re-ranker; `metadata`; and, of a pipeline with `photos`, `image`, the
            product's photo, or `None` where it has none.
            Filter, groups and threshold choose the candidates; the re-ranker re-orders the first `num_candidates` of
            them; the first `top_k` are returned.

        Raises:
            ValueError: a query has another form, an unknown attribute or entity, or a part that the model cannot
                embed; its weights cancel out; or an option is not as above.
            TypeError: there is no option of this name.
        """
        # transformers looks at the first query of a list or of its own KeyDataset, which an empty one does not have.
        if isinstance(inputs, Dataset):
            return super().__call__(_Queries(inputs) if isinstance(inputs, Sized) else inputs, **kwargs)
        if not holds_several(inputs):
            return super().__call__(inputs, **kwargs)
        if isinstance(inputs, (Sequence, *Pixels)):
            return list(super().__call__(_Queries(inputs), **kwargs))
        return super().__call__((query for query in inputs), **kwargs)

    def _sanitize_parameters(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        compared = {name: options.pop(name) for name in ("attribute", "entity") if name in options}
        check_names(options)
        if compared.get("attribute") is not None:
            check_attribute(self.model, compared["attribute"], self.finder.spaces)
        check_entity(self.model, compared.get("entity"), self.finder.spaces)
        self._checked(options)
        return compared, options, {}  # `None` too: it switches a default of the pipeline off

    def preprocess(self, inputs: Any, attribute: str | None = None, entity: str | None = None) -> dict[str, Any]:
        """Return one query as the model's inputs, on the CPU, with its own options."""
        query, options = split_options(inputs)
        prepared = self.encoder.prepare_query(query, attribute, self.finder.spaces, self.sources, entity)
        options = self._checked(options)
        if "late_interaction" in options and not _is_whole_text(prepared):
            raise ValueError(
                "`late_interaction` is for queries of texts that are compared with whole products, got one with a "
                "photo or an `entity`: leave `late_interaction` out of it"
            )
        if "change_by" in options and "change" not in prepared:
            raise ValueError(
                "`change_by` says how a `change` is searched by, got a query without one: give a `change`, or leave "
                "`change_by` out of it"
            )
        return {"query": prepared | {"options": options}}

    def _forward(self, model_inputs: dict[str, Any], **searching: Any) -> dict[str, Any]:
        """Embed, search and re-rank one query, or B queries together: see `_searches`."""
        queries = model_inputs["query"]
        if isinstance(queries, dict):  # transformers joins the queries of a batch to a list, and passes one as it is
            return {"search": self._searches([queries], **searching)[0]}
        return {"search": self._searches(queries, **searching)}

    def postprocess(self, model_outputs: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the results of one query as dicts."""
        search = model_outputs["search"]
        results = search["results"].dicts_of(search["row"])
        if self.photos is None:
            return results
        return [{**result, "image": photo_for(result["id"], self.photos)} for result in results]

    def heat_maps(self, photo: Any, attribute: str | None = None) -> dict[str, Image.Image]:
        """Paint where the model looks in a photo, such as the photo of a result.

        ```python
        search.heat_maps(photo)["brand"].show()                    # E2: a picture for each tag entity
        by_attribute.heat_maps(photo, "neckline")["round 1"].show()  # IPAD: one for each round of positioning
        ```

        Args:
            photo (`Any`): a photo in any form of a query's.
            attribute (`str`, *optional*): for attribute-specific models, the attribute to look for. Default: that of
                the pipeline.

        Returns:
            `dict[str, PIL.Image.Image]`: name -> the photo in grey with its heat map in red, at most 1024 pixels long.
            E2: one for each tag entity; IPAD: `"round 1"`, `"round 2"`, ...; ASEN and ASEN++: one, by the attribute's
            name.

        Raises:
            ValueError: the model has no heat maps, the attribute is missing or unknown, or the photo cannot be read.
        """
        attribute = self._preprocess_params.get("attribute") if attribute is None else attribute
        return heat_maps(self.encoder, self.sources.open(photo), attribute)

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Save model and processor, with the code of this pipeline and the entry in the configuration that makes
        `pipeline("fashion-retrieval", model=save_directory, trust_remote_code=True, gallery=...)` find it.

        Args:
            save_directory (`str` or `Path`): a folder. Gallery, re-ranker, combiner, editor and photos are not saved
                there.
            kwargs (`Any`): as for the model's `save_pretrained`.
        """
        home = type(self).__module__.split(".")[-1]
        entry = {"impl": f"{home}.{type(self).__name__}", "pt": ["AutoModel"], "type": "multimodal"}
        config = self.model.config
        others = getattr(config, "custom_pipelines", None)
        config.custom_pipelines = {**(others or {}), TASK: entry}
        # Not by the parent, which copies the module as it is and cannot follow its imports.
        try:
            for part in (self.model, self.tokenizer, self.image_processor):
                if part is not None:
                    part.save_pretrained(save_directory, **kwargs)
        finally:  # the entry is true only of this folder, which gets the code
            if others is None:
                del config.custom_pipelines
            else:
                config.custom_pipelines = others
        if self.processor is not None:
            self.processor.save_pretrained(save_directory)
        save_code(type(self), save_directory)

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options of a call or of a query: those that are given, none of which is wrong."""
        options = given(options)
        check_types(options)
        self.finder.check_options(*map(options.get, ("top_k", "group_by", "late_interaction")))
        if "num_candidates" in options:
            self._check_num_candidates(options["num_candidates"])
        return options

    def _check_num_candidates(self, num_candidates: int) -> None:
        most = getattr(self.reranker, "num_candidates", num_candidates)
        if not 1 <= num_candidates <= most:
            raise ValueError(
                f"`num_candidates` must be at least 1, and at most what an FR is made for, got {num_candidates}"
                + (f" for {most}" if num_candidates > most else "")
            )
        if self.reranker is None:
            raise ValueError(
                "`num_candidates` is for a re-ranker, and there is none: give a `reranker`, or drop `num_candidates`"
            )

    def _searches(self, queries: list[dict[str, Any]], **searching: Any) -> list[dict[str, Any]]:
        """For each of B queries its `vector` (d,), its `space`, and its list: a `row` of `results`."""
        options = [given(searching) | query["options"] for query in queries]
        vectors, changed = self._vectors(queries, [its.pop("change_by", None) for its in options])
        spaces = [space_names(self.model)[int(query["space_id"])] for query in queries]
        for query, its in zip(queries, options, strict=True):
            if not _is_whole_text(query):
                its.pop("late_interaction", None)
        searches: list[dict[str, Any]] = [{} for _ in queries]
        # Queries of one space and with the same options are searched and re-ranked together.
        for places in _equal_places(list(zip(spaces, options, changed, strict=True))):
            first = places[0]
            space = spaces[first]
            results = self._results(vectors[places], space, changed[first], **options[first])
            for row, place in enumerate(places):
                searches[place] = {"space": space, "vector": vectors[place], "results": results, "row": row}
        return searches

    def _vectors(
        self, queries: list[dict[str, Any]], ways: list[str | None]
    ) -> tuple[torch.Tensor, list[ChangedQuery | None]]:
        """The vectors (B, d) of B queries, and those with a `change` as they are searched."""
        places = [place for place, query in enumerate(queries) if "change" in query]
        if not places:
            return self.encoder.embed_queries(queries).cpu(), [None] * len(queries)
        found = self.changes.queries([queries[place] for place in places], [ways[place] for place in places])
        changed = dict(zip(places, found, strict=True))
        plain = [query for query in queries if "change" not in query]
        others = iter(self.encoder.embed_queries(plain).cpu() if plain else ())
        vectors = [changed[place].vector if place in changed else next(others) for place in range(len(queries))]
        return torch.stack(vectors), [changed.get(place) for place in range(len(queries))]

    def _results(
        self,
        queries: torch.Tensor,
        space: str,
        changed: ChangedQuery | None = None,
        top_k: int = 10,
        filter: str | Mapping[str, Any] | None = None,
        threshold: float | None = None,
        group_by: str | None = None,
        num_candidates: int | None = None,
        late_interaction: float | None = None,
    ) -> RetrievalResults:
        """Search by Q queries (Q, d) in one space, or by one with a change, step by step."""
        search = partial(self.finder.search, queries, space, late_interaction=late_interaction)
        if changed is not None:
            search = partial(search_changed, self.finder, changed)
        if self.reranker is None:
            return apply_threshold(search(top_k, filter, group_by), threshold)
        if num_candidates is None:
            num_candidates = getattr(self.reranker, "num_candidates", DEFAULT_NUM_CANDIDATES)
        number = max(top_k, num_candidates)
        found = search(number, filter, group_by, with_vectors=True)
        candidates = read_vectors(apply_threshold(found, threshold), self.finder.gallery, space)
        return rerank(candidates, queries, self.reranker, num_candidates).first(top_k)


class _Queries(Dataset):
    """A sequence of queries as transformers' pipelines take it: one query is read at a time."""

    def __init__(self, queries: Any):
        self.queries = queries

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, place: int) -> Any:
        return self.queries[place]


def _is_whole_text(query: Mapping[str, Any]) -> bool:
    """Whether a prepared query has only texts and no space of its own."""
    return "photo" not in query and not query["space_id"].any()


def _equal_places(values: list[Any]) -> list[list[int]]:
    """The places of equal values, for values that need not be hashable."""
    groups: list[list[int]] = []
    for place, value in enumerate(values):
        equal = next((group for group in groups if values[group[0]] == value), None)
        groups.append([place]) if equal is None else equal.append(place)
    return groups
