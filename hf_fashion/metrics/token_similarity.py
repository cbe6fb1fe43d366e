"""Return the token-wise maximum similarity of images and texts (Yao et al., "FILIP", ICLR 2022, equations 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad


# The products of the tokens of a chunk, 16 MiB in float32.
MAX_CHUNK_PRODUCTS = 2**22


def token_similarity(
    image_tokens: torch.Tensor,
    text_tokens: torch.Tensor,
    image_mask: torch.Tensor | None = None,
    text_mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the token-wise maximum similarity of every image and every text, both ways.

    From an image to a text it is the mean, over the image's tokens, of the highest inner product with a token of the
    text; from a text to an image the mean, over the text's tokens, of the highest with a token of the image. The
    gradient of a maximum goes to one token. All products are held at once: see [`chunked_token_similarity`].

    Args:
        image_tokens (`torch.Tensor` of shape `(B, N, D)`): L2-normalised for cosine.
        text_tokens (`torch.Tensor` of shape `(T, L, D)`): L2-normalised for cosine.
        image_mask (`torch.Tensor` of shape `(B, N)`, *optional*): bool, False for padding; one is True at least in
            every row. `None`: all tokens count.
        text_mask (`torch.Tensor` of shape `(T, L)`, *optional*): the same for the texts.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: image to text (B, T), text to image (T, B); float32 or better.
    """
    products = torch.tensordot(image_tokens, text_tokens, dims=([2], [2]))  # (B, N, T, L)
    best_texts = products if text_mask is None else products.masked_fill(~text_mask, -torch.inf)
    best_images = products if image_mask is None else products.masked_fill(~image_mask[..., None, None], -torch.inf)
    exact = torch.promote_types(products.dtype, torch.float32)  # means in bfloat16 would be equal for many items
    best_texts, best_images = best_texts.max(3).values.to(exact), best_images.max(1).values.to(exact)
    image_shares = torch.ones_like(best_texts[:, :, 0]) if image_mask is None else image_mask  # (B, N)
    text_shares = torch.ones_like(best_images[0]) if text_mask is None else text_mask  # (T, L)
    image_shares = image_shares / image_shares.sum(1, keepdim=True)
    text_shares = text_shares / text_shares.sum(1, keepdim=True)
    return (best_texts * image_shares[..., None]).sum(1), (best_images * text_shares).sum(2).T


def chunked_token_similarity(
    image_tokens: Tensor,
    text_tokens: Tensor,
    image_mask: Tensor | None = None,
    text_mask: Tensor | None = None,
    chunk_products: int = MAX_CHUNK_PRODUCTS,
) -> tuple[Tensor, Tensor]:
    """Return [`token_similarity`] without holding the products of more than a chunk of images and texts.

    Args:
        image_tokens (`torch.Tensor` of shape `(B, N, D)`): L2-normalised for cosine.
        text_tokens (`torch.Tensor` of shape `(T, L, D)`): L2-normalised for cosine.
        image_mask (`torch.Tensor` of shape `(B, N)`, *optional*): as in [`token_similarity`].
        text_mask (`torch.Tensor` of shape `(T, L)`, *optional*): as in [`token_similarity`].
        chunk_products (`int`, *optional*, defaults to 2**22): products that are held at once, those of one image and
            one text at the least.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: image to text (B, T), text to image (T, B).
    """
    pairs = max(1, chunk_products // (image_tokens.shape[1] * text_tokens.shape[1]))
    num_texts = min(pairs, len(text_tokens))
    rows = []
    for images, seen in _chunks(image_tokens, image_mask, pairs // num_texts):
        blocks = [
            token_similarity(images, texts, seen, read) for texts, read in _chunks(text_tokens, text_mask, num_texts)
        ]
        to_text, to_image = zip(*blocks, strict=True)
        rows.append((torch.cat(to_text, dim=1), torch.cat(to_image)))
    to_text, to_image = zip(*rows, strict=True)
    return torch.cat(to_text), torch.cat(to_image, dim=1)


def _chunks(tokens: Tensor, mask: Tensor | None, size: int) -> list[tuple[Tensor, Tensor | None]]:
    parts = tokens.split(size)
    return list(zip(parts, [None] * len(parts) if mask is None else mask.split(size), strict=True))


@dataclass(frozen=True, eq=False)
class TokenEmbeds:
    """
    Embeddings of the tokens of N images or texts, which metrics compare by token similarity.

    The score of a query and a gallery item is the mean, over the query's tokens, of the highest inner product with a
    token of the item, so that each direction has its own scores.

    Args:
        embeds (`torch.Tensor` of shape `(N, L, D)`): floating, L2-normalised.
        mask (`torch.Tensor` of shape `(N, L)`): bool, False for padding; one is True at least in every row.

    Raises:
        ValueError: shapes or types are not as above, or an item has no token.
    """

    embeds: Tensor
    mask: Tensor

    def __post_init__(self):
        if self.embeds.ndim != 3 or not self.embeds.is_floating_point():
            raise ValueError(
                f"`embeds` must be floating with shape (N, L, D), got {self.embeds.dtype} {tuple(self.embeds.shape)}"
            )
        if self.mask.shape != self.embeds.shape[:2] or self.mask.dtype != torch.bool:
            raise ValueError(
                f"`mask` must be bool with shape {tuple(self.embeds.shape[:2])}, got {self.mask.dtype} "
                f"{tuple(self.mask.shape)}"
            )
        empty = (~self.mask.any(dim=1)).nonzero().flatten().tolist()
        if empty:
            raise ValueError(f"`mask`: rows {empty[:5]} ({len(empty)} in all) have no token: nothing can be compared")

    def __len__(self) -> int:
        return len(self.embeds)

    def __getitem__(self, rows: Tensor | slice) -> TokenEmbeds:
        return TokenEmbeds(self.embeds[rows], self.mask[rows])

    def cpu(self) -> TokenEmbeds:
        """Return a copy on the CPU."""
        return TokenEmbeds(self.embeds.cpu(), self.mask.cpu())

    def mean(self) -> Tensor:
        """Return the mean of each item's tokens: (N, D), not normalised."""
        return self.embeds.masked_fill(~self.mask[..., None], 0).sum(1) / self.mask.sum(1, keepdim=True)

    @classmethod
    def cat(cls, parts: Sequence[TokenEmbeds]) -> TokenEmbeds:
        """Return the items of several parts, padded to the longest.

        Args:
            parts (`Sequence[TokenEmbeds]`): one or more.
        """
        longest = max(part.mask.shape[1] for part in parts)
        lacking = [longest - part.mask.shape[1] for part in parts]
        embeds = [pad(part.embeds, (0, 0, 0, number)) for part, number in zip(parts, lacking, strict=True)]
        return cls(
            torch.cat(embeds), torch.cat([pad(part.mask, (0, n)) for part, n in zip(parts, lacking, strict=True)])
        )

    def scores(self, gallery: TokenEmbeds) -> Tensor:
        """Return the score of each of these items, as queries, with each of a gallery: (N, G).

        Args:
            gallery ([`TokenEmbeds`]): G items.
        """
        return chunked_token_similarity(self.embeds, gallery.embeds, self.mask, gallery.mask)[0]
