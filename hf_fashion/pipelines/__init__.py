"""Pipelines, and the one place where they enter transformers' registry."""


def register() -> None:
    """Make `transformers.pipeline` know every pipeline."""
    from transformers import AutoModel
    from transformers.pipelines import PIPELINE_REGISTRY

    from .fashion_retrieval import TASK, FashionRetrievalPipeline

    PIPELINE_REGISTRY.register_pipeline(
        TASK, pipeline_class=FashionRetrievalPipeline, pt_model=AutoModel, type="multimodal"
    )
