"""Fashion search for transformers: models that find products by their details.

Importing the package makes transformers' Auto classes and pipelines know its models. Nothing heavy is loaded until a
name of it is used, or an Auto class looks something up.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._registration import register_when_needed


if TYPE_CHECKING:
    from .data.column_map import ColumnMap
    from .data.loading import load_corpus
    from .embedding.encoder import Encoder
    from .models.attribute.configuration_asen import AsenConfig
    from .models.attribute.configuration_ipad import IpadConfig
    from .models.attribute.image_processing_attribute import AttributeImageProcessorPil
    from .models.attribute.modeling_asen import AsenModel
    from .models.attribute.modeling_ipad import IpadModel
    from .models.e2.configuration_e2 import E2Config, E2VisionConfig
    from .models.e2.image_processing_e2 import E2ImageProcessorPil
    from .models.e2.modeling_e2 import E2Model, E2VisionModel
    from .models.e2.processing_e2 import E2Processor
    from .models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
    from .models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
    from .pipelines.fashion_retrieval import FashionRetrievalPipeline
    from .retrieval.gallery import Gallery

__version__ = "0.1.0"

_HOMES = {
    "AsenConfig": ".models.attribute.configuration_asen",
    "AsenModel": ".models.attribute.modeling_asen",
    "AttributeImageProcessorPil": ".models.attribute.image_processing_attribute",
    "ColumnMap": ".data.column_map",
    "E2Config": ".models.e2.configuration_e2",
    "E2ImageProcessorPil": ".models.e2.image_processing_e2",
    "E2Model": ".models.e2.modeling_e2",
    "E2Processor": ".models.e2.processing_e2",
    "E2VisionConfig": ".models.e2.configuration_e2",
    "E2VisionModel": ".models.e2.modeling_e2",
    "Encoder": ".embedding.encoder",
    "FashionRetrievalPipeline": ".pipelines.fashion_retrieval",
    "FeatureReasoningConfig": ".models.feature_reasoning.configuration_feature_reasoning",
    "FeatureReasoningModel": ".models.feature_reasoning.modeling_feature_reasoning",
    "Gallery": ".retrieval.gallery",
    "IpadConfig": ".models.attribute.configuration_ipad",
    "IpadModel": ".models.attribute.modeling_ipad",
    "load_corpus": ".data.loading",
}

__all__ = [
    "AsenConfig",
    "AsenModel",
    "AttributeImageProcessorPil",
    "ColumnMap",
    "E2Config",
    "E2ImageProcessorPil",
    "E2Model",
    "E2Processor",
    "E2VisionConfig",
    "E2VisionModel",
    "Encoder",
    "FashionRetrievalPipeline",
    "FeatureReasoningConfig",
    "FeatureReasoningModel",
    "Gallery",
    "IpadConfig",
    "IpadModel",
    "load_corpus",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_needed()
