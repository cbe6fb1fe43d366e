"""Tiny models of both kinds with the entities and attributes of the generated corpus, saved with such a corpus."""

from pathlib import Path

from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.models.e2.processing_e2 import E2Processor
from tests import tiny_attribute
from tests.tiny_e2 import tiny_image_processor, tiny_model, tiny_tokenizer
from tests.tiny_filip import tiny_filip


ENTITIES = ["article_type", "brand", "season", "colour"]
ATTRIBUTES = ["neckline", "hem"]  # the corpus has `pattern` and `sleeve` too


def tiny_e2_parts() -> tuple[E2Model, E2Processor]:
    """A model and its processor."""
    processor = E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=ENTITIES)
    return tiny_model(tag_entities=ENTITIES), processor


def save_e2(folder: Path) -> None:
    """Save an E2 with its processor."""
    for part in tiny_e2_parts():
        part.save_pretrained(folder)


def save_filip(folder: Path) -> None:
    """Save a FILIP with the processor of the E2."""
    tiny_filip().save_pretrained(folder)
    tiny_e2_parts()[1].save_pretrained(folder)


def save_asen(folder: Path) -> None:
    """Save an attribute-specific model with its image processor."""
    values = {name: [] for name in ATTRIBUTES}
    tiny_attribute.tiny_asen(attribute_names=ATTRIBUTES, attribute_values=values).save_pretrained(folder)
    tiny_attribute.tiny_image_processor().save_pretrained(folder)


def save_corpus(folder: Path, train_rows: int = 8, validation_rows: int = 24) -> None:
    """Save a generated corpus with photos of 32 pixels."""
    corpus = make_generated_corpus(train_rows=train_rows, validation_rows=validation_rows, image_size=32)
    corpus.save_to_disk(folder)
