"""Searches a gallery by photo, by text, by attribute, and by weighted terms; re-ranks what is found.

This file is saved with the model, together with all that it imports relatively (`travelling_code.py`). hf_fashion
itself is imported only to open a gallery by its path, and for the re-rankers that have a name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import BaseImageProcessor, Pipeline, PreTrainedModel, ProcessorMixin

from ..embedding.encoder import Encoder
from ..embedding.features import check_attribute
from .rerankers_fashion_retrieval import ReasoningReranker, Reranker, load_reranker
from .results_fashion_retrieval import numbered, rerank_lists
from .search_fashion_retrieval import CandidateFinder
from .travelling_code import save_code


TASK = "fashion-retrieval"
# Candidates of a re-ranker that is not made for a number of them.
DEFAULT_NUM_RERANK = 100


class FashionRetrievalPipeline(Pipeline):
    """Finds the products of a gallery that are nearest to a query.

    ```python
    search = pipeline("fashion-retrieval", model="my_model", gallery="my_gallery")
    search(photo)                                       # an image, its path or URL
    search("a red dress with stripes")                  # a text, for models that read text
    search({"green shirt": 1, "buttons": -0.5})         # weighted texts, negative ones to avoid
    search({"image": photo, "terms": {"in blue": 0.7}, "image_weight": 0.5}, filter="price < 50")
    search({"image": photo, "attribute": "neckline"})   # for attribute-specific models
    ```

    A query is a dict with an `"image"`, `"terms"` (a dict of texts and their weights) or both; `"image_weight"` (1 if
    not given); and `"attribute"`. `"text"` stands for one term of weight 1. An image alone, a string alone and a dict
    of weights alone are short forms. A string that begins like a URL or ends like an image file is an image.

    Photo and terms are embedded one by one and L2-normalised; their weighted sum, normalised again, is what the
    gallery is searched by.

    Args:
        model (`PreTrainedModel`): E2, CLIP, or an attribute-specific model: the one that embedded the gallery.
        gallery ([`Gallery`], `str` or `Path`): what is searched, or its path or URI. Any object with the calls `info`,
            `check_model`, `search`, `vectors` and `len` of a [`Gallery`] will do.
        reranker (`FeatureReasoningModel`, `str`, `Path` or `Callable`, *optional*): what re-orders the first results:
            an FR, its path or Hub id, `"query_expansion"`, `"k_reciprocal"`, or a function `(query_embeds (Q, d),
            candidate_embeds (Q, k, d), candidate_mask (Q, k)) -> scores (Q, k)`, higher is better.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): the model's; loaded with it.
        image_processor (`BaseImageProcessor`, *optional*): instead of `processor`, for models without text.
        kwargs: `device`, `batch_size`, `num_workers` as for every pipeline; options of the call, as defaults for all
            calls.

    Raises:
        ValueError: the gallery is empty, was embedded by another model, or has a space that the model does not serve;
            `reranker` is none of these; there is no image processor; or a default is not as in the call.
        ImportError: `gallery` is a path and hf_fashion or its database is not installed.
    """

    _load_processor = None
    _load_image_processor = None
    _load_tokenizer = False
    _load_feature_extractor = False
    _load_video_processor = False

    def __init__(
        self,
        model: PreTrainedModel,
        gallery: Any,
        reranker: Any = None,
        processor: ProcessorMixin | BaseImageProcessor | None = None,
        image_processor: BaseImageProcessor | None = None,
        **kwargs,
    ):
        if processor is not None:
            image_processor = getattr(processor, "image_processor", processor)
            kwargs["tokenizer"] = getattr(processor, "tokenizer", None)
        if image_processor is None:
            raise ValueError(f"`processor` must be given: none could be loaded for {type(model).__name__}")
        self.finder = CandidateFinder(gallery)
        self.encoder = Encoder(model.eval(), image_processor, kwargs.get("tokenizer"))
        self.finder.check_model(model, self.encoder.space_names)
        self.reranker: Reranker | None = None if reranker is None else load_reranker(reranker)
        super().__init__(model, processor=processor, image_processor=image_processor, **kwargs)
        if isinstance(self.reranker, ReasoningReranker):
            self.reranker.to(self.device)

    def __call__(self, inputs: Any, **kwargs: Any) -> list[dict[str, Any]] | list[list[dict[str, Any]]]:
        """Searches by one query or by many.

        Args:
            inputs (`Any`): a query (see the class), a list of them, or a generator or torch dataset of them, for which
                an iterator is returned. Of a `datasets.Dataset`: `KeyDataset(dataset, "image")`.
            kwargs: those of transformers' pipelines, such as `batch_size`, and

                - `top_k` (`int`, defaults to 10): results for a query, at most as many as the gallery has products.
                  There are fewer where `filter`, `threshold` or `group_by` leave fewer, or the gallery is smaller than
                  the default.
                - `filter` (`str`): condition of SQL on the metadata, as in [`Gallery.search`].
                - `threshold` (`float`): least score of a result.
                - `group_by` (`str`): metadata column; of products with the same value only the best one is kept, such
                  as one photo a product. Products without a value are all kept. In Milvus, groups are
                  looked for among the 16,384 nearest products.
                - `attribute` (`str`): for the queries that name none.
                - `num_rerank` (`int`): how many candidates the re-ranker gets; needs one. Default: as many as an FR is
                  made for, 100 for others.

        Returns:
            `list[dict]`, for several queries a list of those: `id`; `score`, the cosine of query and product; `rank`,
            from 1; `initial_rank`, the rank before the re-ranker; `metadata`. Filter, threshold and groups decide what
            the candidates are; the re-ranker re-orders the first `num_rerank` of them; the first `top_k` are returned.

        Raises:
            ValueError: a query has another form, has an unknown attribute, or needs what the model has not; its
                weights cancel out; an option is not as above.
        """
        return super().__call__(inputs, **kwargs)

    def _sanitize_parameters(
        self,
        attribute: str | None = None,
        top_k: int | None = None,
        filter: str | None = None,
        threshold: float | None = None,
        group_by: str | None = None,
        num_rerank: int | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if attribute is not None:
            check_attribute(self.model, attribute, self.finder.spaces)
        self.finder.check_options(top_k, group_by)
        if num_rerank is not None:
            self._check_num_rerank(num_rerank)
        searching = {"top_k": top_k, "filter": filter, "threshold": threshold, "group_by": group_by}
        searching["num_rerank"] = num_rerank
        return _given({"attribute": attribute}), _given(searching), {}

    def preprocess(self, inputs: Any, attribute: str | None = None) -> dict[str, Any]:
        """One query as the model's inputs."""
        return {"query": self.encoder.prepare_query(inputs, attribute, self.finder.spaces)}

    def _forward(self, model_inputs: dict[str, Any], **searching: Any) -> dict[str, Any]:
        """What a query is searched by, and what it finds: see `_searches`; of B queries a list."""
        queries = model_inputs["query"]
        if isinstance(queries, dict):  # transformers joins those of a batch to a list, and leaves one as it is
            return {"search": self._searches([queries], **searching)[0]}
        return {"search": self._searches(queries, **searching)}

    def postprocess(self, model_outputs: dict[str, Any]) -> list[dict[str, Any]]:
        """The results of one query."""
        return model_outputs["search"]["results"]

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Saves model and processor, with the code of this pipeline and the entry in the configuration that makes
        `pipeline("fashion-retrieval", model=save_directory, trust_remote_code=True, gallery=...)` find it.

        Args:
            save_directory (`str` or `Path`): a folder. Gallery and re-ranker are not saved there.
            kwargs: as for the model's `save_pretrained`.
        """
        home = type(self).__module__.split(".")[-1]
        entry = {"impl": f"{home}.{type(self).__name__}", "pt": ["AutoModel"], "type": "multimodal"}
        others = getattr(self.model.config, "custom_pipelines", {})
        self.model.config.custom_pipelines = {**others, TASK: entry}
        # Not by the parent, which copies the module as it is and cannot follow its imports.
        for part in (self.model, self.tokenizer, self.image_processor):
            if part is not None:
                part.save_pretrained(save_directory, **kwargs)
        if self.processor is not None:
            self.processor.save_pretrained(save_directory)
        save_code(type(self), save_directory)

    def _check_num_rerank(self, num_rerank: int) -> None:
        most = getattr(self.reranker, "num_candidates", num_rerank)
        if not 1 <= num_rerank <= most:
            raise ValueError(
                f"`num_rerank` must be at least 1, and at most what an FR is made for, got {num_rerank}"
                + (f" for {most}" if num_rerank > most else "")
            )
        if self.reranker is None:
            raise ValueError("`num_rerank` is for a re-ranker, and there is none: give a `reranker`, or leave it out")

    def _searches(self, queries: list[dict[str, Any]], **searching: Any) -> list[dict[str, Any]]:
        """For each of B queries its `vector` (d,), the `space` that is in, and the `results`."""
        vectors = self.encoder.embed_queries(queries).cpu()  # (B, d)
        space_ids = torch.cat([query["space_id"] for query in queries]).cpu()
        searches: list[dict[str, Any]] = [{} for _ in queries]
        for space_id in space_ids.unique().tolist():  # the queries of a space are searched and re-ranked together
            rows, space = (space_ids == space_id).nonzero().flatten(), self.encoder.space_names[space_id]
            found = self._results(vectors[rows], space, **searching)
            for row, results in zip(rows.tolist(), found, strict=True):
                searches[row] = {"space": space, "vector": vectors[row], "results": results}
        return searches

    def _results(
        self,
        queries: torch.Tensor,
        space: str,
        top_k: int = 10,
        filter: str | None = None,
        threshold: float | None = None,
        group_by: str | None = None,
        num_rerank: int | None = None,
    ) -> list[list[dict[str, Any]]]:
        """The results of Q queries (Q, d) in one space."""
        if num_rerank is None:
            num_rerank = getattr(self.reranker, "num_candidates", DEFAULT_NUM_RERANK)
        number = top_k if self.reranker is None else max(top_k, num_rerank)
        lists = self.finder.candidates(queries, space, number, filter, group_by)
        if threshold is not None:
            lists = [[candidate for candidate in found if candidate["score"] >= threshold] for found in lists]
        lists = [numbered(found, "initial_rank") for found in lists]
        if self.reranker is not None:
            lists = rerank_lists(self.reranker, queries, lists, self.finder.gallery, space, num_rerank)
        return [numbered(found[:top_k], "rank") for found in lists]


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
