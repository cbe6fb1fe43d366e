"""Show the results of a model for a title, a photo, a tag or an attribute, as rows of HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from .report_page import picture, picture_row, ranked_texts


@dataclass
class ShowcaseData:
    """
    Products that a report searches, with their embeddings.

    Args:
        photos (`Sequence[PIL.Image.Image]`): N pictures.
        titles (`Sequence[str]`): their N titles.
        image_embeds (`torch.Tensor` of shape `(N, P)`): L2-normalised; of the photos.
        text_embeds (`torch.Tensor` of shape `(N, P)`): L2-normalised; of the titles.
    """

    photos: Sequence[Image.Image]
    titles: Sequence[str]
    image_embeds: Tensor
    text_embeds: Tensor


def photos_by_title(data: ShowcaseData, rows: Sequence[int], k: int = 5) -> str:
    """Return HTML of titles and the k best photos of each; right is the photo of the same product.

    Args:
        data (`ShowcaseData`): the products to search.
        rows (`Sequence[int]`): the products whose titles are the queries.
        k (`int`, *optional*, defaults to 5): photos of a query.
    """
    found = top_k(data.text_embeds[list(rows)], data.image_embeds, k)
    return "\n".join(
        picture_row(data.titles[row], _pictures(data, places, [place == row for place in places]))
        for row, places in zip(rows, found, strict=True)
    )


def titles_by_photo(data: ShowcaseData, rows: Sequence[int], k: int = 5) -> str:
    """Return HTML of photos and the k best titles of each; right is the title of the same product.

    Args:
        data (`ShowcaseData`): the products to search.
        rows (`Sequence[int]`): the products whose photos are the queries.
        k (`int`, *optional*, defaults to 5): titles of a query.
    """
    lines = []
    for row, places in zip(rows, top_k(data.image_embeds[list(rows)], data.text_embeds, k), strict=True):
        texts = ranked_texts([data.titles[place] for place in places], [place == row for place in places])
        lines.append(picture_row("", [picture(data.photos[row], data.titles[row]), texts]))
    return "\n".join(lines)


def photos_by_tag(
    data: ShowcaseData,
    queries: Sequence[str],
    query_embeds: Tensor,
    embeds: Tensor,
    tags: Sequence[str | None],
    k: int = 5,
) -> str:
    """Return HTML of tags and the k best photos of each; right is a photo that has the tag.

    Args:
        data (`ShowcaseData`): the products to search.
        queries (`Sequence[str]`): Q tags of one entity.
        query_embeds (`torch.Tensor` of shape `(Q, P)`): L2-normalised; of the tags.
        embeds (`torch.Tensor` of shape `(N, P)`): L2-normalised; of the photos, for this entity.
        tags (`Sequence[str | None]`): the photos' N true tags.
        k (`int`, *optional*, defaults to 5): photos of a query.
    """
    found = top_k(query_embeds, embeds, k)
    return "\n".join(
        picture_row(query, _pictures(data, places, [tags[place] == query for place in places]))
        for query, places in zip(queries, found, strict=True)
    )


def photos_by_attribute(
    photos: Sequence[Image.Image], features: Tensor, values: Sequence[str | None], rows: Sequence[int], k: int = 5
) -> str:
    """Return HTML of query photos and, next to each, the k others that are most similar in one attribute.

    Args:
        photos (`Sequence[PIL.Image.Image]`): N pictures.
        features (`torch.Tensor` of shape `(N, D)`): the photos' embeddings for the attribute, L2-normalised.
        values (`Sequence[str | None]`): their N true values, `None` where a photo has none; equal values are right.
        rows (`Sequence[int]`): the queries; one without a value is left out.
        k (`int`, *optional*, defaults to 5): results of a query.
    """
    rows = [row for row in rows if values[row] is not None]
    lines = []
    for row, found in zip(rows, top_k(features[rows], features, k + 1), strict=True):
        others = [place for place in found if place != row][:k]
        results = [
            picture(
                photos[place], str(values[place]), str(values[place]), "right" if values[place] == values[row] else ""
            )
            for place in others
        ]
        lines.append(picture_row("", [picture(photos[row], str(values[row]), f"query: {values[row]}"), *results]))
    return "\n".join(lines)


def top_k(queries: Tensor, candidates: Tensor, k: int) -> list[list[int]]:
    """Return the places of the k candidates with the highest scores, for each query, best first.

    Args:
        queries (`torch.Tensor` of shape `(Q, P)`): L2-normalised.
        candidates (`torch.Tensor` of shape `(N, P)`): L2-normalised.
        k (`int`): how many.
    """
    return (queries @ candidates.T).topk(k).indices.tolist()


def _pictures(data: ShowcaseData, places: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        picture(data.photos[place], data.titles[place], data.titles[place], "right" if hit else "")
        for place, hit in zip(places, right, strict=True)
    ]
