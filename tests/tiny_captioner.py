"""A captioner small enough to run anywhere in milliseconds, over the tiny E2, and its processor."""

import torch
from transformers import set_seed

from hf_fashion.models.captioner.configuration_captioner import CaptionerConfig
from hf_fashion.models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from hf_fashion.models.captioner.processing_captioner import CaptionerProcessor
from hf_fashion.training.captioner.tokenizer import train_caption_tokenizer
from tests.tiny_e2 import tiny_config, tiny_image_processor


CAPTIONS = ["Puma Men Red T-shirt", "Puma Women Blue Dress", "Nike Men Blue Shoes"]


def tiny_caption_processor() -> CaptionerProcessor:
    return CaptionerProcessor(tiny_image_processor(), train_caption_tokenizer(CAPTIONS, 300), max_caption_length=12)


def tiny_captioner_config(**kwargs) -> CaptionerConfig:
    tokenizer = tiny_caption_processor().tokenizer
    end = {"bos_token_id": tokenizer.eos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "vocab_size": len(tokenizer)}
    defaults = {"prefix_length": 3, "max_caption_length": 12, "decoder_config": {"model_type": "gpt2", **sizes, **end}}
    if kwargs.get("method") == "decap":
        defaults["memory_size"] = 4
    return CaptionerConfig(**({"embedder_config": tiny_config()} | defaults | kwargs))


def tiny_captioner(seed: int = 0, **kwargs) -> CaptionerForConditionalGeneration:
    set_seed(seed)
    model = CaptionerForConditionalGeneration(tiny_captioner_config(**kwargs)).eval()
    if model.config.memory_size:
        model.support_memory.copy_(torch.nn.functional.normalize(torch.randn_like(model.support_memory), dim=-1))
    return model
