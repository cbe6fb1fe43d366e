"""The processor and the model that a run of a captioner starts with."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.image_processing_auto import AutoImageProcessor
from transformers.processing_utils import ProcessorMixin

from ...embedding.whole_model import load_whole
from ...models.captioner.configuration_captioner import CaptionerConfig
from ...models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from ...models.captioner.processing_captioner import CaptionerProcessor
from ..run_folder.checkpoints import PROCESSOR_FOLDER
from .recipe import CaptionerModelRecipe
from .tokenizer import train_caption_tokenizer


# A decoder from scratch: short captions of one kind need no more.
SMALL_DECODER = {"n_layer": 4, "n_embd": 256, "n_head": 4}


@dataclass(frozen=True)
class Bridge:
    """What the decoder of text embeddings needs to read photos.

    Args:
        noise_variance (`float`, *optional*, defaults to 0.0): of CapDec.
        memory (`torch.Tensor` of shape `(M, P)`, *optional*): text embeddings of DeCap.
    """

    noise_variance: float = 0.0
    memory: Tensor | None = None


def make_processor(
    recipe: CaptionerModelRecipe,
    captions: list[str],
    embedder: ProcessorMixin,
    checkpoint: Path | None = None,
) -> CaptionerProcessor:
    """Return the image processor of the embedding model with the decoder's tokenizer, or one of the captions.

    A run that resumes keeps the processor of its checkpoint.

    Args:
        recipe (`CaptionerModelRecipe`): the decoder.
        captions (`list[str]`): of the train split.
        embedder (`ProcessorMixin`): processor of the embedding model.
        checkpoint (`Path`, *optional*): where the run resumes.

    Raises:
        ValueError: the decoder's tokenizer has no end of text.
    """
    if checkpoint is not None:
        folder = checkpoint / PROCESSOR_FOLDER
        return CaptionerProcessor(
            AutoImageProcessor.from_pretrained(folder, trust_remote_code=False),
            AutoTokenizer.from_pretrained(folder, trust_remote_code=False),
            max_caption_length=recipe.max_caption_length,
        )
    if recipe.decoder is None:
        tokenizer = train_caption_tokenizer(captions, recipe.vocab_size)
    else:
        tokenizer = AutoTokenizer.from_pretrained(recipe.decoder, trust_remote_code=False)
    return CaptionerProcessor(embedder.image_processor, tokenizer, max_caption_length=recipe.max_caption_length)


def make_model(
    recipe: CaptionerModelRecipe, embedder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, bridge: Bridge
) -> CaptionerForConditionalGeneration:
    """Return a captioner with the weights of the embedding model and, if there is one, of the decoder.

    Args:
        recipe (`CaptionerModelRecipe`): decoder and method.
        embedder (`PreTrainedModel`): the embedding model.
        tokenizer (`PreTrainedTokenizerBase`): of the decoder.
        bridge ([`Bridge`]): noise or support memory.

    Raises:
        ValueError: the decoder has fewer tokens than its tokenizer, or fewer positions than a caption needs.
    """
    decoder = None if recipe.decoder is None else load_whole(recipe.decoder, AutoModelForCausalLM)
    config = decoder.config if decoder is not None else _small_decoder(recipe, tokenizer)
    if len(tokenizer) > config.vocab_size:
        raise ValueError(
            f"the tokenizer of `model.decoder` has {len(tokenizer)} tokens, its model embeds {config.vocab_size}: "
            "resize its embeddings and save it again."
        )
    decoder_config = config.to_dict() | {
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.eos_token_id,
    }
    model = CaptionerForConditionalGeneration(
        CaptionerConfig(
            embedder_config=embedder.config.to_dict(),
            decoder_config=decoder_config,
            method=recipe.method,
            prefix_length=recipe.prefix_length,
            noise_variance=bridge.noise_variance,
            memory_size=0 if bridge.memory is None else len(bridge.memory),
            memory_temperature=recipe.memory_temperature,
            max_caption_length=recipe.max_caption_length,
        )
    )
    model.embedder.load_state_dict(embedder.state_dict())
    if decoder is not None:
        model.decoder.load_state_dict(decoder.state_dict())
    if bridge.memory is not None:
        model.support_memory.copy_(bridge.memory)
    return model


def choose_memory(embeds: Tensor, most: int, seed: int) -> Tensor:
    """Return the support memory: the embeddings of distinct captions, or a draw of them.

    Args:
        embeds (`torch.Tensor` of shape `(D, P)`): of distinct captions.
        most (`int`): the largest memory.
        seed (`int`): of the draw.
    """
    order = torch.randperm(len(embeds), generator=torch.Generator().manual_seed(seed))
    return embeds[order[:most].sort().values]


def _small_decoder(recipe: CaptionerModelRecipe, tokenizer: PreTrainedTokenizerBase) -> GPT2Config:
    sizes = {"vocab_size": len(tokenizer), "n_positions": recipe.prefix_length + recipe.max_caption_length}
    ends = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), tokenizer.eos_token_id)
    return GPT2Config(**(SMALL_DECODER | sizes | ends | recipe.decoder_config))
