"""Hash what hf_fashion writes into a card, so that a change of people is seen."""

import hashlib
import json
from typing import Any


def short_hash(value: Any) -> str:
    """Return eight hexadecimal digits of the SHA-256 of a text, or of what YAML or JSON can hold.

    Args:
        value (`Any`): the text or the value.
    """
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
