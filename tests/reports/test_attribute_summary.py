"""What a report says of an attribute-specific model."""

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.evaluation.attribute_retrieval import attribute_searches
from hf_fashion.reports.attribute_summary import (
    compare_attributes,
    evaluate_attributes,
    show_attributes,
    summarise_attributes,
)
from tests.tiny_attribute import tiny_image_processor
from tests.tiny_ipad import tiny_ipad


ROWS = range(4)


def test_attribute_search_becomes_tables_sentences_and_pictures():
    column_map = ColumnMap.shipped("generated")
    names = list(column_map.attributes)
    model, processor = tiny_ipad(attribute_names=names, attribute_values={}), tiny_image_processor()
    split = make_generated_corpus(train_rows=1, validation_rows=40, image_size=32)["validation"]
    protocols = [draw_protocol(read_labels(split, column_map))]
    searches = attribute_searches(model, processor, split, column_map, protocols, progress=False)
    results = evaluate_attributes(model, processor, split, column_map, searches)

    tables = compare_attributes(results, names)
    assert [len(rows) for _, rows in tables.values()] == [len(names) + 2, len(names)]
    (sentence,) = summarise_attributes(results)
    assert f"{100 * results['retrieval']['map']:.1f} %" in sentence
    assert f"chance {100 * results['pointing']['pointing_accuracy_chance']:.1f} %" in sentence
    sections = dict(show_attributes(model, processor, split, column_map, ROWS))
    assert len(sections) == len(names) + 1
    assert sections["Where IPAD looks"].count("<img") == len(ROWS)
    assert sections[f"Photos with the same {names[0]}"].count("query:") == len(ROWS)
