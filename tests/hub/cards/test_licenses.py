"""Names that the Hub would refuse are refused before a training, and the right one is named."""

import pytest

from hf_fashion.hub.cards.licenses import check_languages, check_license


@pytest.mark.parametrize("name", [None, "apache-2.0", "mit", "other", "openrail++"])
def test_licenses_of_the_hub(name):
    check_license(name)


def test_a_wrong_license_is_named():
    with pytest.raises(ValueError, match=r"no license 'Apache-2.0' \(did you mean 'apache-2.0'\?\)"):
        check_license("Apache-2.0")


def test_languages():
    check_languages(["en", "deu", "multilingual"])


@pytest.mark.parametrize("code", ["english", "EN", "e", "", "e1", 1, None])
def test_a_wrong_language_is_named(code):
    with pytest.raises(ValueError, match=r"a code of two or three letters, .*; got "):
        check_languages(["en", code])
