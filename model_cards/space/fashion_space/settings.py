"""Read which models, gallery and photos the demo uses from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from hf_fashion.messages import did_you_mean


PREFIX = "FASHION_"
QUICKSTART = Path("runs/quickstart")
EXAMPLES = "a red dress with stripes; green shirt -- buttons; a coat for winter"


@dataclass(frozen=True)
class Settings:
    """Models and catalogue of the demo. Each field is an environment variable, `e2_gallery` is `FASHION_E2_GALLERY`.

    Args:
        e2 (`str`, *optional*): folder or Hub id of an E2 or another CLIP, for words and whole photos.
        attributes (`str`, *optional*): folder or Hub id of an IPAD or ASEN, for search by one attribute.
        reranker (`str`, *optional*): folder or Hub id of an FR for the attribute model.
        new_attributes (`str`, *optional*): attributes to add by name to a model that was trained with
            `model.attribute_texts`, with `;` between them and their values behind `:`, such as `heel height: flat,
            high; back neckline`.
        text_encoder (`str`, *optional*): folder or Hub id of what embedded the texts of that training. Default: `e2`.
        captioner (`str`, *optional*): folder or Hub id of a captioner, which puts the photo of a product into words.
        photos (`str`): the catalogue: a folder of photos, a product feed, or the id of a dataset on the Hub.
        split (`str`, *optional*): its split, if it has several.
        id_column (`str`, *optional*): its column of ids.
        image_column (`str`, *optional*): its column of photos.
        columns (`str`, *optional*): its columns for titles, filters and results, with commas between them. Default:
            all of strings, numbers, booleans and dates.
        e2_gallery (`str`, *optional*): gallery of the first model: its folder, URI or Hub id. Default: the photos are
            embedded at the first start, below `cache`.
        attributes_gallery (`str`, *optional*): gallery of the second model.
        cache (`str`, *optional*, defaults to `"galleries"`): folder for galleries that are embedded here.
        title (`str`, *optional*): metadata column of the product's title. Default: `title`, `name` or `caption`.
        examples (`str`, *optional*): searches to click, with `;` between them, and `--` before words to avoid.
    """

    e2: str | None = None
    attributes: str | None = None
    reranker: str | None = None
    new_attributes: str | None = None
    text_encoder: str | None = None
    captioner: str | None = None
    photos: str | None = None
    split: str | None = None
    id_column: str | None = None
    image_column: str | None = None
    columns: str | None = None
    e2_gallery: str | None = None
    attributes_gallery: str | None = None
    cache: str = "galleries"
    title: str | None = None
    examples: str = EXAMPLES

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; where no model is named, those of the quickstart.

        Args:
            environment (`Mapping[str, str]`): the environment's variables.

        Raises:
            ValueError: there is no such setting, or a model is named without photos.
            FileNotFoundError: no model is named, and the quickstart was not run here.
        """
        given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value.strip()}
        known = {PREFIX + field.name.upper(): field.name for field in fields(cls)}
        for name in given:
            if name not in known:
                raise ValueError(f"there is no setting {name}{did_you_mean(name, known)}: they are {', '.join(known)}")
        settings = cls(**{known[name]: value.strip() for name, value in given.items()})
        if settings.e2 is None and settings.attributes is None:
            return cls.of_quickstart()
        if settings.photos is None:
            raise ValueError("FASHION_PHOTOS must name the catalogue's photos, which the results show")
        if settings.reranker and settings.attributes is None:
            raise ValueError("FASHION_RERANKER is for the model of FASHION_ATTRIBUTES, which is not named")
        if settings.new_attributes and not (settings.attributes and (settings.text_encoder or settings.e2)):
            raise ValueError(
                "FASHION_NEW_ATTRIBUTES are added to the model of FASHION_ATTRIBUTES by FASHION_TEXT_ENCODER or "
                "FASHION_E2: name both"
            )
        return settings

    @classmethod
    def of_quickstart(cls) -> Settings:
        """Return the settings of the models that `make quickstart` has trained.

        Raises:
            FileNotFoundError: it was not run here.
        """
        models = [QUICKSTART / name / "best" for name in ("e2", "ipad", "fr")]
        missing = [path for path in (*models, QUICKSTART / "photos") if not path.is_dir()]
        if missing:
            raise FileNotFoundError(
                f"there is no {missing[0]}: run `make quickstart` first, or name your own models and photos by "
                "FASHION_E2, FASHION_ATTRIBUTES and FASHION_PHOTOS"
            )
        e2, ipad, fr = map(str, models)
        photos, cache = str(QUICKSTART / "photos"), str(QUICKSTART / "galleries")
        return cls(e2=e2, attributes=ipad, reranker=fr, photos=photos, cache=cache)
