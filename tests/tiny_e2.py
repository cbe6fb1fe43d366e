"""An E2 small enough to run anywhere in milliseconds, and the processor that belongs to it."""

import numpy as np
import torch
from PIL import Image
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer, set_seed

from hf_fashion.models.e2.configuration_e2 import E2Config
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.models.e2.processing_e2 import E2Processor


TAG_ENTITIES = ["brand", "season"]
IMAGE_SIZE = 16
MAX_LENGTH = 40


def tiny_tokenizer() -> CLIPTokenizer:
    """Return CLIP's tokenizer over single bytes: no merges, every text can be encoded."""
    letters = sorted(ByteLevel.alphabet())
    vocab = {token: number for number, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters)])}
    vocab |= {"<|startoftext|>": len(vocab), "<|endoftext|>": len(vocab) + 1}
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=MAX_LENGTH)


def tiny_image_processor() -> E2ImageProcessorPil:
    return E2ImageProcessorPil(
        size={"shortest_edge": IMAGE_SIZE}, crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    )


def tiny_processor() -> E2Processor:
    return E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=TAG_ENTITIES)


def tiny_config(**kwargs) -> E2Config:
    tokenizer = tiny_tokenizer()
    sizes = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
    text_config = {
        **sizes,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": MAX_LENGTH,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision_config = {**sizes, "image_size": IMAGE_SIZE, "patch_size": 4}
    defaults = {"projection_dim": 12, "tag_entities": TAG_ENTITIES, "fusion_layers": [1, 2]}
    return E2Config(text_config=text_config, vision_config=vision_config, **(defaults | kwargs))


def tiny_model(seed: int = 0, **kwargs) -> E2Model:
    set_seed(seed)
    return E2Model(tiny_config(**kwargs)).eval()


def tiny_images(number: int = 2, seed: int = 0) -> list[Image.Image]:
    generator = np.random.default_rng(seed)
    return [Image.fromarray(generator.integers(0, 256, (20, 18, 3), dtype=np.uint8)) for _ in range(number)]


def tiny_inputs(number: int = 2) -> dict[str, torch.Tensor]:
    texts = [f"a dress {row}" for row in range(number)]
    tags = [{"brand": f"brand {row}", "season": None if row else "summer"} for row in range(number)]
    return dict(tiny_processor()(images=tiny_images(number), text=texts, tags=tags, return_tensors="pt", padding=True))
