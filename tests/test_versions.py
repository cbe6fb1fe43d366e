"""Versions of installed packages."""

import transformers

from hf_fashion.versions import installed_version


def test_a_package_has_its_version_and_what_is_not_installed_none():
    assert installed_version("transformers") == transformers.__version__
    assert installed_version("no-such-package-of-fashion") is None
