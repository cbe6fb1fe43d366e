"""Check the license of a model before it trains: the Hub refuses a card with a license that it does not know."""

from ...messages import did_you_mean


# As https://huggingface.co/docs/hub/repositories-licenses names them.
LICENSES = (
    *(
        "apache-2.0",
        "mit",
        "openrail",
        "bigscience-openrail-m",
        "creativeml-openrail-m",
        "bigscience-bloom-rail-1.0",
        "bigcode-openrail-m",
        "afl-3.0",
    ),
    *("artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "c-uda", "cc"),
    *("cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0"),
    *(
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nd-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
    ),
    *(
        "cdla-sharing-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "wtfpl",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
    ),
    *("eupl-1.1", "eupl-1.2", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl"),
    *("lgpl-2.1", "lgpl-3.0", "isc", "lppl-1.3c", "ms-pl", "mpl-2.0", "odc-by", "odbl"),
    *("openrail++", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl"),
    *("lgpl-lr", "deepfloyd-if-license", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "gemma"),
    *("unknown", "other"),
)


def check_license(name: str | None) -> None:
    """Raise `ValueError`, naming what was probably meant, for a license that the Hub does not know.

    Args:
        name (`str`, *optional*): the license; `None` is no license.
    """
    if name is not None and name not in LICENSES:
        raise ValueError(
            f"the Hub knows no license {name!r}{did_you_mean(name, LICENSES)}; its names are such as apache-2.0, mit, "
            "cc-by-nc-4.0, or other: https://huggingface.co/docs/hub/repositories-licenses"
        )


def check_languages(codes: list[str]) -> None:
    """Raise `ValueError` for a language that is not a code of two or three letters, as the Hub wants them.

    Args:
        codes (`list[str]`): of ISO 639.
    """
    for code in codes:
        is_code = (
            isinstance(code, str) and len(code) in (2, 3) and code.isascii() and code.isalpha() and code.islower()
        )
        if not is_code and code != "multilingual":
            raise ValueError(
                f"a language is a code of two or three letters, such as en, pt or deu, or multilingual; got {code!r}"
            )
