"""Registers our classes with transformers' Auto classes and pipelines the first time one of them looks something up.

Registering needs the classes, the classes need torch, and `import hf_fashion` must not cost that. So what holds a
registry's entries becomes a dict that fills itself when it is first read.
"""

import importlib.abc
import sys
from collections.abc import Callable
from types import ModuleType


_PIPELINES = "transformers.pipelines"
_AUTO = "transformers.models.auto."
# Module of transformers -> its registries that our models enter.
_REGISTRIES = {
    _AUTO + "configuration_auto": ["CONFIG_MAPPING"],
    _AUTO + "modeling_auto": ["MODEL_MAPPING", "MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING"],
    _AUTO + "processing_auto": ["PROCESSOR_MAPPING"],
    _AUTO + "image_processing_auto": ["IMAGE_PROCESSOR_MAPPING"],
}


def _importing() -> bool:
    """Whether a module of transformers or of ours is being executed at this moment."""
    specs = [
        getattr(module, "__spec__", None)
        for name, module in list(sys.modules.items())
        if name.startswith(("transformers.", __package__ + "."))
    ]
    return any(getattr(spec, "_initializing", False) for spec in specs)


def _register_models() -> None:
    from .models import register

    register()


def _register_pipelines() -> None:
    from .pipelines import register

    register()


class _FilledOnRead(dict):
    """A registry's entries; reading any of them registers ours first."""

    def __init__(self, entries: dict, register: Callable[[], None]):
        super().__init__(entries)
        self._register = register

    def _fill(self) -> None:
        # transformers reads its registries while it imports a model, and our classes inherit from such models.
        if not _importing():
            self._register()

    def __contains__(self, key):
        self._fill()
        return super().__contains__(key)

    def __getitem__(self, key):
        self._fill()
        return super().__getitem__(key)

    def __len__(self):
        self._fill()
        return super().__len__()

    def __iter__(self):
        self._fill()
        return super().__iter__()

    def keys(self):
        self._fill()
        return super().keys()

    def values(self):
        self._fill()
        return super().values()

    def items(self):
        self._fill()
        return super().items()


class _AutoModuleFinder(importlib.abc.MetaPathFinder):
    """Finds transformers' modules as ever, and installs the registries once one has been executed."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in (*_REGISTRIES, _PIPELINES):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _install(module)

            spec.loader.exec_module = exec_module
        return spec


def _install(module: ModuleType) -> None:
    if module.__name__ == _PIPELINES:
        _fill_on_read(module.PIPELINE_REGISTRY, "supported_tasks", _register_pipelines)
        return
    for name in _REGISTRIES[module.__name__]:
        _fill_on_read(getattr(module, name), "_extra_content", _register_models)


def _fill_on_read(registry: object, attribute: str, register: Callable[[], None]) -> None:
    entries = getattr(registry, attribute)
    if not isinstance(entries, _FilledOnRead):
        setattr(registry, attribute, _FilledOnRead(entries, register))


def register_when_needed() -> None:
    """Prepare every registry, those of modules that are not imported yet included. Calling it again does nothing."""
    if not any(isinstance(finder, _AutoModuleFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AutoModuleFinder())
    for name in (*_REGISTRIES, _PIPELINES):
        if name in sys.modules:
            _install(sys.modules[name])
