"""Pipelines, and the one place where they enter transformers' registry."""


def register() -> None:
    """Make `transformers.pipeline` know every pipeline."""
    from transformers import AutoModel
    from transformers.pipelines import PIPELINE_REGISTRY

    from ..models.captioner.pipeline_captioner import FashionCaptioningPipeline
    from .fashion_retrieval import TASK, FashionRetrievalPipeline

    PIPELINE_REGISTRY.register_pipeline(
        TASK, pipeline_class=FashionRetrievalPipeline, pt_model=AutoModel, type="multimodal"
    )
    # Not "image-to-text", the task of saved folders: transformers 5 reads it as "image-text-to-text".
    PIPELINE_REGISTRY.register_pipeline(
        "fashion-captioning", pipeline_class=FashionCaptioningPipeline, pt_model=AutoModel, type="multimodal"
    )
