"""Files of a push are held in the system's temporary folder, and removed."""

import errno

import pytest

from hf_fashion.commits.failures import PushError
from hf_fashion.commits.staging import staged_folder


def test_the_folder_is_the_savers_to_make_and_is_removed():
    with staged_folder("model") as folder:
        assert not folder.exists()
        folder.mkdir()
    assert not folder.parent.exists()


def test_a_full_disk_is_a_sentence_and_leaves_nothing():
    message = r"nothing was pushed: .* has no space for .* Free some or set TMPDIR"
    with pytest.raises(PushError, match=message), staged_folder("model") as folder:
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not folder.parent.exists()


def test_other_errors_stay_as_they_are():
    with pytest.raises(ValueError, match="a wrong model"), staged_folder("model"):
        raise ValueError("a wrong model")
