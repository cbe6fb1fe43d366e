"""The probability of the captions of photos."""

import torch

from hf_fashion.training.captioner.captions import EmbeddedCaptions
from hf_fashion.training.captioner.validation import PRIMARY_METRIC, caption_likelihood
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor, tiny_captioner


def test_it_is_the_geometric_mean_over_all_tokens(monkeypatch):
    model, processor = tiny_captioner(method="decap"), tiny_caption_processor()
    photos = EmbeddedCaptions(torch.randn(3, 12), CAPTIONS, processor.encode_captions(CAPTIONS))
    logs = []
    for embed, tokens in zip(photos.embeds, photos.tokens, strict=True):
        logits = model(image_embeds=embed[None], input_ids=torch.tensor([tokens])).logits[0]
        logs += [float(row.log_softmax(-1)[token]) for row, token in zip(logits, tokens, strict=True)]
    expected = torch.tensor(logs).mean().exp().item()
    monkeypatch.setattr("hf_fashion.training.captioner.validation.BATCH_SIZE", 2)
    found = caption_likelihood(model, processor, photos)[PRIMARY_METRIC]
    assert 0 < found < 1 and abs(found - expected) < 1e-6
