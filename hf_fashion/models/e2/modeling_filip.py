"""FILIP: two towers that are compared token by token, the baseline of E2 for fine-grained matching.

Source: Yao et al., "FILIP: Fine-grained Interactive Language-Image Pre-Training", ICLR 2022, section 3.1.
Shapes: B images of N patches, T texts of L tokens, shared space P.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs
from transformers.utils.generic import can_return_tuple

from .configuration_filip import FilipConfig
from .losses_e2 import filip_loss, token_similarity
from .modeling_e2 import E2Model, check_inputs
from .modeling_e2_vision import E2VisionTransformerOutput
from .texts_e2 import reads_full_length


@dataclass
class FilipOutput(ModelOutput):
    """Output of [`FilipModel`]. All embeddings are L2-normalised; what was not asked for is `None`.

    Args:
        loss (`torch.Tensor` of shape `()`): returned with `return_loss=True`.
        logits_per_image (`torch.Tensor` of shape `(B, T)`): token similarities from images to texts, scaled.
        logits_per_text (`torch.Tensor` of shape `(T, B)`): token similarities from texts to images, scaled; not the
            transpose of `logits_per_image`.
        logit_scale (`torch.Tensor` of shape `()`): `exp` of the model's, the factor on similarities.
        logit_bias (`torch.Tensor` of shape `()`): the bias on scaled similarities, with the sigmoid loss.
        text_token_embeds (`torch.Tensor` of shape `(T, L, P)`): embeddings of the texts' tokens.
        text_token_mask (`torch.Tensor` of shape `(T, L)`): 1 for the tokens that are compared, 0 for padding.
        image_token_embeds (`torch.Tensor` of shape `(B, N, P)`): embeddings of the images' patches.
        text_embeds (`torch.Tensor` of shape `(T, P)`): the text towers' own embeddings, which the loss does not train.
        image_embeds (`torch.Tensor` of shape `(B, P)`): those of the vision tower.
        text_model_output (`BaseModelOutputWithPooling`): output of the text tower.
        vision_model_output (`E2VisionTransformerOutput`): output of the vision tower.
    """

    loss: torch.Tensor | None = None
    logits_per_image: torch.Tensor | None = None
    logits_per_text: torch.Tensor | None = None
    logit_scale: torch.Tensor | None = None
    logit_bias: torch.Tensor | None = None
    text_token_embeds: torch.Tensor | None = None
    text_token_mask: torch.Tensor | None = None
    image_token_embeds: torch.Tensor | None = None
    text_embeds: torch.Tensor | None = None
    image_embeds: torch.Tensor | None = None
    text_model_output: BaseModelOutputWithPooling | None = None
    vision_model_output: E2VisionTransformerOutput | None = None

    def scaled(self, similarities: torch.Tensor) -> torch.Tensor:
        """Return the logits of similarities, of any shape."""
        logits = similarities * self.logit_scale.to(similarities.device)
        return logits if self.logit_bias is None else logits + self.logit_bias.to(similarities.device)

    def to_tuple(self) -> tuple[Any, ...]:
        return tuple(v.to_tuple() if isinstance(v, ModelOutput) else v for v in self.values())


class FilipModel(E2Model):
    """FILIP: the two towers and projections of E2, and a similarity of image patches and text tokens.

    An image and a text have no single embedding that the loss trains, so a FILIP cannot fill a gallery of vectors.
    """

    config: FilipConfig
    config_class = FilipConfig
    base_model_prefix = "filip"

    def embed_image_tokens(self, outputs: E2VisionTransformerOutput) -> torch.Tensor:
        """Return the embeddings of the patches of images, without class token and registers, L2-normalised.

        Args:
            outputs (`E2VisionTransformerOutput`): of `get_image_features`.

        Returns:
            `torch.Tensor` of shape `(B, N, P)`.
        """
        patches = self.vision_model.split_patches(outputs.last_hidden_state)
        return nn.functional.normalize(self.visual_projection(patches), dim=-1)

    def embed_text_tokens(self, outputs: BaseModelOutputWithPooling) -> torch.Tensor:
        """Return the embeddings of the tokens of texts, L2-normalised.

        Args:
            outputs (`BaseModelOutputWithPooling`): of `get_text_features`.

        Returns:
            `torch.Tensor` of shape `(T, L, P)`.
        """
        states = self.token_states(outputs.last_hidden_state)
        return nn.functional.normalize(self.text_projection(states), dim=-1)

    def real_tokens(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return which tokens of texts are compared: all but padding, start and end tokens included, as in FILIP.

        SigLIP's text tower reads texts without a mask, filled up to its length with one token; of these the first
        counts, as the end token.

        Args:
            input_ids (`torch.Tensor` of shape `(T, L)`): token ids.
            attention_mask (`torch.Tensor` of shape `(T, L)`, *optional*): 1 for real tokens, 0 for padding.

        Returns:
            `torch.Tensor` of shape `(T, L)`: bool.
        """
        if attention_mask is not None:
            return attention_mask.bool()
        counts = torch.ones_like(input_ids, dtype=torch.bool)
        if reads_full_length(self.config.text_config):
            differs = input_ids[:, :-1] != input_ids[:, -1:]
            counts[:, 1:] = differs.flip(1).cumsum(1).flip(1) > 0  # the token before, or a later one, is another
        return counts

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
        compare: bool = True,
        **kwargs: Unpack[TransformersKwargs],
    ) -> FilipOutput:
        """Embed the tokens of images and texts, of either or both, and compare images with texts.

        Args:
            input_ids (`torch.Tensor` of shape `(T, L)`, *optional*): token ids of the texts.
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`, *optional*): images from the image processor.
            attention_mask (`torch.Tensor` of shape `(T, L)`, *optional*): 1 for real tokens, 0 for padding.
            position_ids (`torch.Tensor` of shape `(T, L)`, *optional*): positions of the tokens.
            return_loss (`bool`, *optional*): return the loss of this batch; needs as many texts as images.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.
            compare (`bool`, *optional*, defaults to `True`): whether to compare the images with the texts. Training
                over several processes compares the joined batch itself.

        Raises:
            ValueError: if neither images nor texts are given, or a loss is asked for without both, as many of each.

        Example:

        ```python
        >>> import torch
        >>> from PIL import Image
        >>> from hf_fashion import E2Processor, FilipModel

        >>> model = FilipModel.from_pretrained("runs/filip/best")
        >>> processor = E2Processor.from_pretrained("runs/filip/best")
        >>> photo, texts = Image.open("photos/dress.jpg"), ["a red dress", "a blue coat"]
        >>> inputs = processor(images=photo, text=texts, padding=True, return_tensors="pt")

        >>> with torch.no_grad():
        ...     outputs = model(**inputs)
        >>> probabilities = outputs.logits_per_image.softmax(dim=1)  # of each text, given the photo
        >>> best_patches = (outputs.text_token_embeds[0] @ outputs.image_token_embeds[0].T).argmax(dim=1)
        ```
        """
        check_inputs(input_ids, pixel_values, return_loss)
        output = FilipOutput()
        if pixel_values is not None:
            vision = self.get_image_features(
                pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, return_dict=True, **kwargs
            )
            output.image_token_embeds = self.embed_image_tokens(vision)
            output.image_embeds = nn.functional.normalize(vision.pooler_output, dim=-1)
            output.vision_model_output = vision
        if input_ids is not None:
            text = self.get_text_features(input_ids, attention_mask, position_ids, return_dict=True, **kwargs)
            output.text_token_embeds = self.embed_text_tokens(text)
            output.text_token_mask = self.real_tokens(input_ids, attention_mask).long()
            output.text_embeds = nn.functional.normalize(text.pooler_output, dim=-1)
            output.text_model_output = text
        # Outputs, so that DDP knows them for parameters that were used, whoever compares.
        output.logit_scale, output.logit_bias = self.logit_scale.exp(), self.logit_bias
        if input_ids is not None and pixel_values is not None and (compare or return_loss):
            images = output.image_token_embeds.to(output.text_token_embeds.device)
            mask = output.text_token_mask.bool()
            similarities = token_similarity(images, output.text_token_embeds, text_mask=mask)
            output.logits_per_image, output.logits_per_text = map(output.scaled, similarities)
        if return_loss:
            loss = filip_loss(output.logits_per_image, output.logits_per_text, sigmoid=self.logit_bias is not None)
            # DDP waits for the gradient of every parameter; that of a tower's own pooling head is 0.
            output.loss = loss + 0 * output.image_embeds.sum()
        return FilipOutput(**output)  # in the order of its fields


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
FilipModel.register_for_auto_class("AutoModel")

__all__ = ["FilipModel"]
