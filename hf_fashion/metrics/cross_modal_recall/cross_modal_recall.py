"""`evaluate.load("hf_fashion/metrics/cross_modal_recall")`: image-to-text and text-to-image recall with ceilings."""

import datasets
import evaluate
import torch

from hf_fashion.metrics.cross_modal import cross_modal_recall


_DESCRIPTION = """
Recall@1, @5 and @10 from images to texts and from texts to images over all candidates, as fractions. Equal labels are
matches, one match in the top k counts. Every recall has its ceiling: the recall of a perfect model where identical
inputs cannot be told apart. Ties count by expectation.
"""
_INPUTS = """
Args:
    predictions: image embeddings, N lists of D floats, L2-normalised for cosine.
    references: text embeddings, N lists of D floats.
    image_labels: N integers, text_labels: N integers; equal labels are matches.
    image_inputs: N integers, equal where photos are identical; text_inputs: the same for texts.
Returns:
    a dictionary with {image_to_text,text_to_image}_recall@{1,5,10}, the same with recall_ceiling, sum_recall and
    sum_recall_ceiling, and the numbers of queries.
"""
_COLUMNS = ("image_labels", "text_labels", "image_inputs", "text_inputs")


class CrossModalRecall(evaluate.Metric):
    """Compute `hf_fashion.metrics.cross_modal_recall` of pairs that arrive batch by batch."""

    def _info(self):
        embedding, integer = datasets.Sequence(datasets.Value("float32")), datasets.Value("int64")
        features = {"predictions": embedding, "references": embedding} | dict.fromkeys(_COLUMNS, integer)
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions, references, image_labels, text_labels, image_inputs, text_inputs):
        return cross_modal_recall(
            torch.tensor(predictions),
            torch.tensor(references),
            *(torch.tensor(column) for column in (image_labels, text_labels, image_inputs, text_inputs)),
        )
