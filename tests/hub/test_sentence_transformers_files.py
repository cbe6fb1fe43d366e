"""The files for sentence-transformers change nothing for transformers, and travel."""

import json
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoProcessor, CLIPConfig
from transformers.dynamic_module_utils import get_imports, get_relative_imports

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.hub.sentence_transformers_files import MODULE, write_sentence_transformers_files
from hf_fashion.travelling_code import flat_modules
from tests.repo.tree import ALLOWED, PACKAGE
from tests.tiny_attribute import ATTRIBUTE_NAMES
from tests.tiny_e2 import tiny_config, tiny_images, tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning_config
from tests.tiny_filip import tiny_filip, tiny_filip_config
from tests.tiny_ipad import tiny_ipad_config


CODE = flat_modules(MODULE)
FILES = {"modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", *CODE}


def read(path: Path):
    return json.loads(path.read_text())


def test_the_files_name_texts_and_photos(tmp_path):
    write_sentence_transformers_files(tiny_config(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert read(tmp_path / "modules.json")[0]["type"] == "fashion_embedding.FashionEmbedding"
    config = read(tmp_path / "sentence_bert_config.json")
    assert set(config["modality_config"]) == {"text", "image"} and config["max_seq_length"] == 40
    assert read(tmp_path / "config_sentence_transformers.json")["prompts"] == {"query": "", "document": ""}


def test_each_attribute_is_a_prompt(tmp_path):
    write_sentence_transformers_files(tiny_ipad_config(), tmp_path)
    assert set(read(tmp_path / "sentence_bert_config.json")["modality_config"]) == {"image"}
    prompts = read(tmp_path / "config_sentence_transformers.json")["prompts"]
    assert {name: prompts[name] for name in ATTRIBUTE_NAMES} == {name: name for name in ATTRIBUTE_NAMES}


def test_a_clip_gets_them_and_a_re_ranker_does_not(tmp_path):
    write_sentence_transformers_files(CLIPConfig(), tmp_path / "clip")
    assert {path.name for path in (tmp_path / "clip").iterdir()} == FILES
    (tmp_path / "fr").mkdir()
    write_sentence_transformers_files(tiny_feature_reasoning_config(), tmp_path / "fr")
    assert list((tmp_path / "fr").iterdir()) == []


def test_a_filip_is_refused_and_not_embedded_by_what_was_never_trained(tmp_path):
    tiny_filip().save_pretrained(tmp_path)
    tiny_processor().save_pretrained(tmp_path)
    write_sentence_transformers_files(tiny_filip_config(), tmp_path)
    with pytest.raises(ValueError, match="a FILIP compares every patch of a photo"):
        SentenceTransformer(str(tmp_path), device="cpu", trust_remote_code=True)


def test_the_folder_loads_as_before(tmp_path):
    model, processor = tiny_model(), tiny_processor()
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    before = Encoder.from_pretrained(tmp_path).encode(tiny_images(2))
    for _ in range(2):  # again over the files that are there
        write_sentence_transformers_files(model.config, tmp_path)
    assert type(AutoModel.from_pretrained(tmp_path)).__name__ == "E2Model"
    assert type(AutoProcessor.from_pretrained(tmp_path)).__name__ == "E2Processor"
    assert (Encoder.from_pretrained(tmp_path).encode(tiny_images(2)) == before).all()


def test_the_code_fits_next_to_that_of_the_pipeline():
    """Both are saved into one folder when a pipeline is pushed."""
    pipeline = flat_modules(PACKAGE / "pipelines" / "fashion_retrieval.py")
    shared = CODE.keys() & pipeline.keys()
    assert shared and {name: CODE[name] for name in shared} == {name: pipeline[name] for name in shared}


@pytest.mark.parametrize("name", CODE)
def test_imports_travel(name, tmp_path):
    path = tmp_path / name
    path.write_text(CODE[name], encoding="utf-8")
    allowed = ALLOWED | ({"sentence_transformers"} if name == MODULE.name else set())
    assert set(get_imports(path)) <= allowed
    assert {f"{sibling}.py" for sibling in get_relative_imports(path)} <= set(CODE)
