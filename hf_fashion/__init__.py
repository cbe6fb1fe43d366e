"""Fashion search for transformers: models that find products by their details.

Importing the package makes transformers' Auto classes and pipelines know its models. Nothing heavy is loaded until a
name of it is used, or an Auto class is imported.
"""
# ruff: noqa: F401 - the imports below are the public names

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._registration import register_when_imported


# The public names, sorted by module. Type checkers read them here, and `_public_names` does at run time.
if TYPE_CHECKING:
    from .data.column_map import ColumnMap
    from .data.loading import load_corpus
    from .embedding.attribute_texts import embed_attribute_texts
    from .embedding.encoder import Encoder
    from .hub.push import push_to_hub
    from .models.attribute.configuration_asen import AsenConfig
    from .models.attribute.configuration_ipad import IpadConfig
    from .models.attribute.image_processing_attribute import AttributeImageProcessorPil
    from .models.attribute.modeling_asen import AsenModel
    from .models.attribute.modeling_ipad import IpadModel
    from .models.captioner.configuration_captioner import CaptionerConfig
    from .models.captioner.modeling_captioner import CaptionerForConditionalGeneration
    from .models.captioner.pipeline_captioner import FashionCaptioningPipeline
    from .models.captioner.processing_captioner import CaptionerProcessor
    from .models.combiner.configuration_combiner import CombinerConfig
    from .models.combiner.modeling_combiner import CombinerModel
    from .models.e2.configuration_e2 import E2Config, E2TowerConfig, E2VisionConfig
    from .models.e2.configuration_filip import FilipConfig
    from .models.e2.image_processing_e2 import E2ImageProcessorPil
    from .models.e2.modeling_e2 import E2Model, E2TowerVisionModel, E2VisionModel
    from .models.e2.modeling_filip import FilipModel
    from .models.e2.processing_e2 import E2Processor
    from .models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
    from .models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
    from .pipelines.fashion_retrieval import FashionRetrievalPipeline
    from .retrieval.gallery import Gallery
    from .training.attribute.few_shot import fit_attribute

__version__ = "0.1.0"


def _public_names() -> dict[str, str]:
    """Return each public name and its module, as the imports under `TYPE_CHECKING` state them."""
    statements = ast.parse(Path(__file__).read_text(encoding="utf-8")).body
    block = next(s for s in statements if isinstance(s, ast.If) and ast.unparse(s.test) == "TYPE_CHECKING")
    return {alias.name: f".{line.module}" for line in block.body for alias in line.names}


_MODULES = _public_names()
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_imported()
