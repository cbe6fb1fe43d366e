"""Answers the requests of an inference endpoint of the Hub; `hf-fashion endpoint` wrote it. Its code is in a folder
next to it, so that it needs no hf_fashion to classify and embed. A search needs what requirements.txt names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image


CODE = "endpoint_code"
# Of a photo. The endpoint's server opens photos that are not in JSON itself, by the same limit of Pillow.
MAX_PIXELS = 40_000_000


class EndpointHandler:
    """The class that an inference endpoint looks for.

    Args:
        path (`str`, *optional*): the folder of the repository. Default: the present one.
    """

    def __init__(self, path: str = ""):
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        folder = Path(path).absolute()
        self._service = _import_code(folder).EndpointService(folder)

    def __call__(self, data: dict[str, Any]) -> Any:
        """Answer one request.

        Args:
            data (`dict`): `"inputs"`, a query or a list of them, and `"parameters"`, as docs/serving.md of hf_fashion
                describes them.

        Returns:
            `list` or `dict`: what can be written as JSON.

        Raises:
            ValueError: the request is wrong; the message says what to change. The endpoint answers with status 400.
            RuntimeError: the request cannot be answered; why is in the endpoint's log.
        """
        return self._service.answer(data)


def _import_code(folder: Path) -> ModuleType:
    """The module `service` of the folder, as a package of its own: nothing else there can be imported by mistake."""
    start = folder / CODE / "__init__.py"
    spec = importlib.util.spec_from_file_location(CODE, start, submodule_search_locations=[str(start.parent)])
    package = importlib.util.module_from_spec(spec)
    sys.modules[CODE] = package
    spec.loader.exec_module(package)
    return importlib.import_module(f"{CODE}.service")
