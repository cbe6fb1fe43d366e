"""Registers our classes with transformers' Auto classes the first time one of them looks something up.

Registering needs the classes, the classes need torch, and `import hf_fashion` must not cost that. So the registries
get an `_extra_content` that fills itself when it is first read.
"""

import importlib.abc
import sys
from types import ModuleType


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


class _FilledOnRead(dict):
    """A registry's extra entries; reading any of them registers our models first."""

    def _fill(self) -> None:
        # transformers reads its registries while it imports a model, and our classes inherit from such models.
        if not _importing():
            from .models import register

            register()

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
    """Finds transformers' Auto modules as ever, and installs the registries once one has been executed."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in _REGISTRIES:
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
    for name in _REGISTRIES[module.__name__]:
        registry = getattr(module, name)
        if not isinstance(registry._extra_content, _FilledOnRead):
            registry._extra_content = _FilledOnRead(registry._extra_content)


def register_when_needed() -> None:
    """Prepare every registry, those of modules that are not imported yet included. Calling it again does nothing."""
    if not any(isinstance(finder, _AutoModuleFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AutoModuleFinder())
    for name in _REGISTRIES:
        if name in sys.modules:
            _install(sys.modules[name])
