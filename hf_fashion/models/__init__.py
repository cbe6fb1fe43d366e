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

    from .attribute.configuration_asen import AsenConfig
    from .attribute.configuration_ipad import IpadConfig
    from .attribute.image_processing_attribute import AttributeImageProcessorPil
    from .attribute.modeling_asen import AsenModel
    from .attribute.modeling_ipad import IpadModel
    from .e2.configuration_e2 import E2Config, E2VisionConfig
    from .e2.image_processing_e2 import E2ImageProcessorPil
    from .e2.modeling_e2 import E2Model, E2VisionModel
    from .e2.processing_e2 import E2Processor
    from .feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
    from .feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel

    for config, model, image_processor in (
        (E2Config, E2Model, E2ImageProcessorPil),
        (E2VisionConfig, E2VisionModel, E2ImageProcessorPil),
        (AsenConfig, AsenModel, AttributeImageProcessorPil),
        (IpadConfig, IpadModel, AttributeImageProcessorPil),
    ):
        AutoConfig.register(config.model_type, config)
        AutoModel.register(config, model)
        AutoImageProcessor.register(config, image_processor_classes={"pil": image_processor})
    # Its input is features: it has no image processor.
    AutoConfig.register(FeatureReasoningConfig.model_type, FeatureReasoningConfig)
    AutoModel.register(FeatureReasoningConfig, FeatureReasoningModel)
    AutoModelForZeroShotImageClassification.register(E2Config, E2Model)
    AutoProcessor.register(E2Config, E2Processor)
