"""Register our classes with transformers' Auto classes and pipelines, and what adapters adapt with peft, on import.

Registering needs the classes and the classes need torch, which `import hf_fashion` must not cost. transformers' Auto
classes need torch too, so ours are registered right after theirs were imported: a finder on `sys.meta_path` notices.
peft, which is optional, is observed in the same way.
"""

import importlib.abc
import sys
import threading
from types import ModuleType


def _register_models() -> None:
    from transformers import AutoConfig, AutoModel, AutoModelForZeroShotImageClassification, AutoProcessor
    from transformers.models.auto.image_processing_auto import AutoImageProcessor

    import hf_fashion as public

    for config, model, image_processor in (
        (public.E2Config, public.E2Model, public.E2ImageProcessorPil),
        (public.E2VisionConfig, public.E2VisionModel, public.E2ImageProcessorPil),
        (public.E2TowerConfig, public.E2TowerVisionModel, public.E2ImageProcessorPil),
        (public.FilipConfig, public.FilipModel, public.E2ImageProcessorPil),
        (public.AsenConfig, public.AsenModel, public.AttributeImageProcessorPil),
        (public.IpadConfig, public.IpadModel, public.AttributeImageProcessorPil),
        (public.FeatureReasoningConfig, public.FeatureReasoningModel, None),  # its input is features
        (public.CombinerConfig, public.CombinerModel, None),  # so is its
        (public.CaptionerConfig, public.CaptionerForConditionalGeneration, None),  # its processor has one
    ):
        AutoConfig.register(config.model_type, config)
        AutoModel.register(config, model)
        if image_processor is not None:
            AutoImageProcessor.register(config, image_processor_classes={"pil": image_processor})
    for config, model in ((public.E2Config, public.E2Model), (public.FilipConfig, public.FilipModel)):
        AutoModelForZeroShotImageClassification.register(config, model)
        AutoProcessor.register(config, public.E2Processor)
    AutoProcessor.register(public.CaptionerConfig, public.CaptionerProcessor)


def _register_pipelines() -> None:
    from .pipelines import register

    register()


# Layers of the backbones of attribute models: attention of ViTs, convolutions of CNNs.
_BACKBONE_LAYERS = [
    *("q_proj", "v_proj", "query", "value", "projection_query", "projection_value"),
    *("convolution", "expand_conv", "project_conv", "conv1", "conv2", "point_wise_conv1", "point_wise_conv2"),
]
# Of all towers: CLIP, SigLIP, DINOv2 and ViT; BERT and its kin; DistilBERT; MPNet; DeBERTa; ModernBERT.
_TOWER_LAYERS = ["q_proj", "v_proj", "query", "value", "q_lin", "v_lin", "q", "v", "query_proj", "value_proj", "Wqkv"]
# Layers that `LoraConfig()` adapts where it names none.
_LORA_TARGETS = {
    "clip": ["q_proj", "v_proj"],
    "e2": _TOWER_LAYERS,
    "filip": _TOWER_LAYERS,
    "e2_vision_model": ["q_proj", "v_proj"],
    "e2_tower_model": _TOWER_LAYERS,
    "asen": _BACKBONE_LAYERS,
    "ipad": _BACKBONE_LAYERS,
}


def _register_lora_targets() -> None:
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as TARGETS

    for model_type, layers in _LORA_TARGETS.items():
        TARGETS.setdefault(model_type, layers)


# Module that must have been imported -> what is registered then. Every Auto class imports the first.
_pending = {
    "transformers.models.auto.configuration_auto": _register_models,
    "transformers.pipelines": _register_pipelines,
    "peft.utils.constants": _register_lora_targets,
}
_OBSERVED = ("transformers.", "peft.", f"{__package__}.")
_nesting = threading.local()  # depth: how many of the observed modules this thread is importing


class _ImportObserver(importlib.abc.MetaPathFinder):
    """Leaves finding to the other finders, and registers what is pending once no module is half imported."""

    registers_hf_fashion = True  # also that of an earlier import of the package, whose class is another one

    def find_spec(self, fullname, path=None, target=None):
        if not _pending or not fullname.startswith(_OBSERVED):
            return None
        others = (finder for finder in sys.meta_path if not _is_observer(finder))
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = _observed(spec.loader.exec_module)
        return spec


def _is_observer(finder: importlib.abc.MetaPathFinder) -> bool:
    return getattr(finder, "registers_hf_fashion", False)


def _observed(execute):
    def exec_module(module: ModuleType) -> None:
        nesting = _nesting  # a reload of this module makes another
        nesting.depth = getattr(nesting, "depth", 0) + 1
        try:
            execute(module)
        finally:
            nesting.depth -= 1
            register_imported()

    return exec_module


def register_imported() -> None:
    """Register what is pending for the modules that have been imported.

    While a module is half imported nothing is registered: our classes may inherit from what it has yet to define.
    """
    if getattr(_nesting, "depth", 0):
        return
    for name in [name for name in _pending if name in sys.modules]:
        if register := _pending.pop(name, None):
            register()


def register_when_imported() -> None:
    """Observe imports from here on, and register what can be registered now. Calling it again does nothing."""
    if not any(isinstance(finder, _ImportObserver) for finder in sys.meta_path):
        others = [finder for finder in sys.meta_path if not _is_observer(finder)]
        sys.meta_path[:] = [_ImportObserver(), *others]
    register_imported()
