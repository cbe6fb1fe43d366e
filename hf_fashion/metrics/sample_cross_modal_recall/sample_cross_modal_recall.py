"""`evaluate.load("hf_fashion/metrics/sample_cross_modal_recall")`: recall of the sample-100 protocol with ceilings."""

import datasets
import evaluate
import torch

from hf_fashion.metrics.cross_modal import sample_cross_modal_recall


_DESCRIPTION = """
Recall@1, @5 and @10 from images to texts and from texts to images among one match and 100 non-matches of the match's
group (sub-category), drawn with a seed: the protocol of the published results on Fashion-Gen. Every recall has its
ceiling on the same draws, where identical inputs cannot be told apart. Ties count by expectation.
"""
_INPUTS = """
Args:
    predictions, references: image and text embeddings, N lists of D floats, L2-normalised for cosine.
    image_labels, text_labels: N integers; equal labels are matches.
    image_groups, text_groups: N integers; negatives share the group of the match.
    image_inputs, text_inputs: N integers, equal where photos or texts are identical.
    num_negatives (100), seed (0): options of `compute`.
Returns:
    a dictionary with {image_to_text,text_to_image}_recall@{1,5,10}, the same with recall_ceiling, sum_recall and
    sum_recall_ceiling, and the numbers of queries and negatives.
"""
_KINDS = ("labels", "groups", "inputs")


class SampleCrossModalRecall(evaluate.Metric):
    """Compute `hf_fashion.metrics.sample_cross_modal_recall` of pairs that arrive batch by batch."""

    def _info(self):
        features = {name: datasets.Sequence(datasets.Value("float32")) for name in ("predictions", "references")}
        features |= {f"{side}_{kind}": datasets.Value("int64") for kind in _KINDS for side in ("image", "text")}
        return evaluate.MetricInfo(
            description=_DESCRIPTION, citation="", inputs_description=_INPUTS, features=datasets.Features(features)
        )

    def _compute(self, predictions, references, num_negatives=100, seed=0, **columns):
        columns = {name: torch.tensor(values) for name, values in columns.items()}
        embeds = (torch.tensor(predictions), torch.tensor(references))
        return sample_cross_modal_recall(*embeds, **columns, num_negatives=num_negatives, seed=seed)
