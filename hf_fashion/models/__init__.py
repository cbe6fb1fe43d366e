"""Models, one folder each, and the one place where they enter transformers' Auto classes."""

_registered = False


def register() -> None:
    """Make transformers' Auto classes know every model."""
    global _registered
    if _registered:
        return
    _registered = True  # first, since registering reads the registries and so comes back here
    from transformers import AutoConfig, AutoModel, AutoModelForZeroShotImageClassification, AutoProcessor
    from transformers.models.auto.image_processing_auto import AutoImageProcessor

    from .e2.configuration_e2 import E2Config, E2VisionConfig
    from .e2.image_processing_e2 import E2ImageProcessorPil
    from .e2.modeling_e2 import E2Model, E2VisionModel
    from .e2.processing_e2 import E2Processor

    for config, model in ((E2Config, E2Model), (E2VisionConfig, E2VisionModel)):
        AutoConfig.register(config.model_type, config)
        AutoModel.register(config, model)
        AutoImageProcessor.register(config, image_processor_classes={"pil": E2ImageProcessorPil})
    AutoModelForZeroShotImageClassification.register(E2Config, E2Model)
    AutoProcessor.register(E2Config, E2Processor)
