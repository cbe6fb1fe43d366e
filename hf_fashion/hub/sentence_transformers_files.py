"""Write what `SentenceTransformer(path, trust_remote_code=True)` needs next to a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig

from ..embedding.capabilities import PHOTO_AND_TEXT_TYPES, compares_tokens
from ..files import file_written_aside, write_json
from ..models.e2.texts_e2 import num_positions
from ..travelling_code import flat_modules


MODULE = Path(__file__).with_name("fashion_embedding.py")
# The versions in which modules of a repository are loaded as `fashion_embedding.py` is written.
REQUIREMENTS = {"sentence-transformers": ">=6"}


def write_sentence_transformers_files(config: PreTrainedConfig, folder: str | Path) -> None:
    """Write `modules.json`, `sentence_bert_config.json`, `config_sentence_transformers.json` and the code they name.

    FR gets nothing. A FILIP, which has no vector of a photo, gets the files for the sake of the error: without them
    sentence-transformers would load it, and return embeddings that were never trained.

    Args:
        config (`PreTrainedConfig`): configuration of the model in the folder.
        folder (`str` or `Path`): where the model and its processor are saved.
    """
    known = getattr(config, "attribute_names", None) or config.model_type in PHOTO_AND_TEXT_TYPES
    if not known and not compares_tokens(config):
        return
    folder = Path(folder)
    for name, source in flat_modules(MODULE).items():
        with file_written_aside(folder / name) as aside:
            aside.write_text(source, encoding="utf-8")
    write_json(_how_to_embed(config), folder / "sentence_bert_config.json")
    write_json(_how_to_compare(config), folder / "config_sentence_transformers.json")
    module = {"idx": 0, "name": "0", "path": "", "type": f"{MODULE.stem}.FashionEmbedding"}
    write_json([module], folder / "modules.json")  # last: it is what makes the folder one of sentence-transformers


def _how_to_embed(config: PreTrainedConfig) -> dict[str, Any]:
    """The arguments of the module. Other programs, such as mteb, read the kinds of inputs here."""
    if getattr(config, "attribute_names", None):
        known = {"image": {"method": "get_attribute_features", "method_output_name": None}}
        return {"modality_config": known, "max_seq_length": None}
    methods = {"text": "get_text_features", "image": "get_image_features"}
    known = {kind: {"method": name, "method_output_name": "pooler_output"} for kind, name in methods.items()}
    return {"modality_config": known, "max_seq_length": num_positions(config.text_config)}


def _how_to_compare(config: PreTrainedConfig) -> dict[str, Any]:
    """The options of the whole model. Each attribute is a prompt, whose text is its name."""
    names = getattr(config, "attribute_names", None) or []
    return {
        "model_type": "SentenceTransformer",
        "requirements": REQUIREMENTS,
        "prompts": {"query": "", "document": ""} | {name: name for name in names},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
