"""Examples of search by one attribute: what is shown, in which order, and with which frame."""

import pytest
import torch
from datasets import Dataset
from datasets import Image as DatasetImage
from PIL import Image

from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.embedding.attribute_corpus import embed_attributes
from hf_fashion.reports.attribute_showcase import attention_sheets, photos_by_attribute
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_ipad import tiny_ipad


PHOTOS = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(5)]
ANGLES = torch.tensor([0.0, 0.1, 0.2, 1.5, 1.6])
FEATURES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)


def test_the_nearest_others_are_shown_and_the_same_value_is_framed():
    html = photos_by_attribute(PHOTOS, FEATURES, ["v", "v", "round", "v", None], rows=[0], k=3)
    assert html.count("<img") == 4 and "query: v" in html
    captions = [part.split("<")[0] for part in html.split("<figcaption>")[1:]]
    assert captions == ["query: v", "v", "round", "v"]  # by angle; the query itself is not its own result
    assert html.count('class="right"') == 2


def test_a_photo_without_the_attribute_asks_nothing():
    html = photos_by_attribute(PHOTOS, FEATURES, ["v", "v", "round", "v", None], rows=[4, 3], k=1)
    assert html.count("query:") == 1


@pytest.mark.parametrize("make", [tiny_asen, tiny_ipad])
def test_every_photo_gets_a_sheet_with_a_row_an_attribute(make):
    model, processor = make().eval(), tiny_image_processor()
    split = make_generated_corpus(train_rows=1, validation_rows=3, image_size=32)["validation"]
    sheets = attention_sheets(model, processor, split, [0, 2], side=40)
    names = model.config.attribute_names
    assert len(sheets) == 2 and sheets[0].height >= 40 * len(names) and sheets[0].width % 40 == 0
    assert list(sheets[0].getdata()) != list(sheets[1].getdata())


def test_features_do_not_depend_on_the_batch():
    model, processor = tiny_asen().eval(), tiny_image_processor()
    photos = [photo.resize((32, 32)) for photo in PHOTOS]
    dataset = Dataset.from_dict({"image": photos}).cast_column("image", DatasetImage())
    number = len(model.config.attribute_names)
    wanted = torch.ones(5, number, dtype=torch.bool)

    def embed(batch_size: int) -> torch.Tensor:
        found = embed_attributes(model, processor, dataset, wanted, range(number), batch_size=batch_size)
        return torch.stack(found, dim=1)

    whole = embed(5)
    assert whole.shape[:2] == (5, number)
    torch.testing.assert_close(embed(2), whole, atol=1e-5, rtol=1e-5)
