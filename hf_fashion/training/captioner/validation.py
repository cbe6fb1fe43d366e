"""How likely a captioner finds the captions of photos that it has not seen."""

from math import exp

from torch.utils.data import DataLoader

from ...embedding.features import inference
from ...models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from ...models.captioner.processing_captioner import CaptionerProcessor
from .captions import CaptionCollator, EmbeddedCaptions


PRIMARY_METRIC = "token_probability"
BATCH_SIZE = 128


def caption_likelihood(
    model: CaptionerForConditionalGeneration, processor: CaptionerProcessor, photos: EmbeddedCaptions
) -> dict[str, float]:
    """Return the geometric mean of the probabilities that the model gives the next tokens of the photos' captions.

    Args:
        model ([`CaptionerForConditionalGeneration`]): the captioner.
        processor ([`CaptionerProcessor`]): its processor.
        photos ([`EmbeddedCaptions`]): embeddings of photos, and their captions.

    Returns:
        `dict[str, float]`: `token_probability`, from 0 to 1: 1 / perplexity.
    """
    total, count = 0.0, 0
    collator = CaptionCollator(processor, "image_embeds")
    with inference(model):
        for batch in DataLoader(photos, BATCH_SIZE, collate_fn=collator):
            tokens = int((batch["labels"] >= 0).sum())
            total += model(**{name: value.to(model.device) for name, value in batch.items()}).loss.item() * tokens
            count += tokens
    return {PRIMARY_METRIC: exp(-total / count)}
