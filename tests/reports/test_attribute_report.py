"""Report on an attribute-specific model: tables, a sentence and pictures."""

import torch
from datasets import Dataset, Image
from PIL import Image as PILImage

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.data.values import column_texts
from hf_fashion.embedding.attribute_corpus import embed_attributes
from hf_fashion.evaluation.attribute_pointing import evaluate_pointing
from hf_fashion.evaluation.attribute_retrieval import attribute_searches, retrieval_metrics
from hf_fashion.reports.attribute_report import compare_attributes, show_attributes, summarise_attributes
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_ipad import tiny_ipad


ROWS = range(4)


def test_attribute_search_becomes_tables_sentences_and_pictures():
    column_map = ColumnMap.shipped("generated")
    names = list(column_map.attributes)
    model, processor = tiny_ipad(attribute_names=names, attribute_values={}), tiny_image_processor()
    split = make_generated_corpus(train_rows=1, validation_rows=40, image_size=32)["validation"]
    protocols = [draw_protocol(read_labels(split, column_map))]
    searches = attribute_searches(model, processor, split, column_map, protocols, progress=False)
    pointing = evaluate_pointing(model.eval(), processor, split, column_map)
    results = {"parameters": 1234, "retrieval": retrieval_metrics(searches), "pointing": pointing}

    tables = compare_attributes(results, names)
    assert [len(rows) for _, rows in tables.values()] == [len(names) + 2, len(names)]
    sentence = summarise_attributes(results)
    assert sentence.startswith("IPAD (1,234 parameters)")
    assert f"{100 * results['retrieval']['map']:.1f} %" in sentence
    assert f"chance {100 * results['pointing']['pointing_accuracy_chance']:.1f} %" in sentence
    always = {key: float(not key.endswith("_chance")) for key in pointing}
    assert "above chance for every attribute" in summarise_attributes(results | {"pointing": always})
    never = always | {"hem_centre_inside": 0.0}
    assert "but not above chance for hem." in summarise_attributes(results | {"pointing": never})
    sections = dict(show_attributes(model, processor, split, column_map, ROWS))
    assert len(sections) == len(names) + 1
    assert sections["Where IPAD looks"].count("<img") == len(ROWS)
    shown = sections[f"Photos with the same {names[0]}"]
    assert shown.count("query:") == len(ROWS)
    values = column_texts(split, column_map.attributes[names[0]])
    assert all(f"query: {values[row]}" in shown for row in ROWS) and not values[0].isdigit()


def test_features_do_not_depend_on_the_batch():
    model, processor = tiny_asen().eval(), tiny_image_processor()
    photos = [PILImage.new("RGB", (32, 32), (40 * number, 0, 0)) for number in range(5)]
    dataset = Dataset.from_dict({"image": photos}).cast_column("image", Image())
    number = len(model.config.attribute_names)
    wanted = torch.ones(5, number, dtype=torch.bool)

    def embed(batch_size: int) -> torch.Tensor:
        found = embed_attributes(model, processor, dataset, wanted, range(number), batch_size=batch_size)
        return torch.stack(found, dim=1)

    whole = embed(5)
    assert whole.shape[:2] == (5, number)
    torch.testing.assert_close(embed(2), whole, atol=1e-5, rtol=1e-5)
