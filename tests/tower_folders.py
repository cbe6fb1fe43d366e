"""Encoders of other families than CLIP, saved as users have them: model, image processor and tokenizer in a folder."""

import string
from pathlib import Path

from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    Dinov2Config,
    Dinov2Model,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipModel,
    ViTConfig,
    ViTModel,
    set_seed,
)
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil


SIZES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
SIGLIP_LENGTH = 24
LETTERS = [*string.ascii_lowercase, *string.digits, *".,-"]


def dinov2_folder(folder: Path) -> str:
    """Save a DINOv2 of patch 14 that was trained at 42 pixels, with a crop of 28 pixels."""
    set_seed(0)
    Dinov2Model(Dinov2Config(**SIZES, image_size=42, patch_size=14)).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 28, "width": 28}}
    BitImageProcessorPil(**sizes, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]).save_pretrained(
        folder
    )
    return str(folder)


def vit_folder(folder: Path) -> str:
    set_seed(0)
    ViTModel(ViTConfig(**SIZES, intermediate_size=24, image_size=32, patch_size=16)).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


def bert_folder(folder: Path) -> str:
    """Save a BERT whose tokenizer reads single letters and states no length."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = BertTokenizer(vocab={token: number for number, token in enumerate(tokens)})
    set_seed(0)
    config = BertConfig(**SIZES, intermediate_size=24, vocab_size=len(tokens), max_position_embeddings=40)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def siglip_folder(folder: Path) -> str:
    """Save a SigLIP 2 of a fixed resolution, which is a SigLIP with another tokenizer."""
    set_seed(0)
    tokenizer = siglip_tokenizer()
    sizes = SIZES | {"intermediate_size": 24}
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1}
    text = sizes | ids | {"vocab_size": len(tokenizer), "max_position_embeddings": SIGLIP_LENGTH}
    vision = sizes | {"image_size": 32, "patch_size": 16}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


def siglip_tokenizer() -> Siglip2Tokenizer:
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS]
    tokenizer = Siglip2Tokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=[],
        padding_side="right",
        model_max_length=SIGLIP_LENGTH,
    )
    end = TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    tokenizer.backend_tokenizer.post_processor = end
    return tokenizer


def towers_of(name: str, folder: Path) -> tuple[str, ...]:
    """Save the start of an E2, `"dinov2"` with BERT or `"siglip"`, and return what `from_towers` takes."""
    if name == "siglip":
        return (siglip_folder(folder / "siglip"),)
    return dinov2_folder(folder / "dinov2"), bert_folder(folder / "bert")
