"""The trained models and photos that the documents and the examples in docstrings use, at tiny size."""

from pathlib import Path

from hf_fashion.hub.sentence_transformers_files import write_sentence_transformers_files
from tests import tiny_attribute
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner
from tests.tiny_combiner import tiny_combiner
from tests.tiny_e2 import tiny_config, tiny_images, tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning
from tests.tiny_filip import tiny_filip
from tests.tower_folders import bert_folder, dinov2_folder, siglip_folder


MODEL_FOLDERS = ("runs/quickstart/e2/best", "runs/catalogue/best")
ATTRIBUTE_MODEL_FOLDERS = ("runs/attributes/best", "runs/quickstart/ipad/best")


def save_example_files() -> None:
    """Save them in the working directory."""
    for folder in MODEL_FOLDERS:
        tiny_model().save_pretrained(folder)
        tiny_processor().save_pretrained(folder)
        write_sentence_transformers_files(tiny_config(), folder)
    for folder in ATTRIBUTE_MODEL_FOLDERS:
        tiny_attribute.tiny_asen().save_pretrained(folder)
        tiny_attribute.tiny_image_processor().save_pretrained(folder)
        write_sentence_transformers_files(tiny_attribute.tiny_asen_config(), folder)
    tiny_feature_reasoning().save_pretrained("runs/quickstart/fr/best")
    tiny_combiner().save_pretrained("runs/combiner/quickstart/best")
    for part in (tiny_filip(), tiny_processor()):
        part.save_pretrained("runs/filip/best")
    for part in (tiny_captioner(), tiny_caption_processor()):
        part.save_pretrained("runs/captioner/quickstart/best")
    save_towers = {"dinov2-small": dinov2_folder, "multilingual-e5-small": bert_folder, "siglip2-base": siglip_folder}
    for name, save in save_towers.items():
        save(Path("towers", name))
    for folder, names in (("photos", ("coat", "dress", "shirt")), ("runs/quickstart/photos", ("coat-1", "dress-1"))):
        Path(folder).mkdir()
        for name, photo in zip(names, tiny_images(len(names)), strict=True):
            photo.save(f"{folder}/{name}.jpg")
