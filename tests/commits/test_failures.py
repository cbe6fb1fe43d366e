"""Errors of the Hub become sentences that say what to do, and in which the token is not."""

import json

import pytest
from huggingface_hub.errors import OfflineModeIsEnabled

from hf_fashion.commits.failures import Failure, checked_token


@pytest.mark.parametrize("kind", [RuntimeError, ConnectionError, TimeoutError])  # of hf_xet, which uploads
def test_no_connection_passes_and_is_said(kind):
    failure = Failure.of(kind("cas\nerror"), None)
    assert failure.what == "the connection was refused, cut or silent (cas error)" and failure.passes


def test_an_answer_that_is_not_the_hubs_passes():
    assert Failure.of(json.JSONDecodeError("Expecting value", "<html>", 0), None).passes


def test_being_offline_does_not_pass():
    failure = Failure.of(OfflineModeIsEnabled("Cannot reach"), None)
    assert failure.what.startswith("HF_HUB_OFFLINE is set") and not failure.passes


def test_the_cause_of_an_upload_is_described():
    def upload():
        try:
            raise FileNotFoundError("model.safetensors")
        except FileNotFoundError as error:
            raise RuntimeError("Error while uploading") from error

    with pytest.raises(RuntimeError) as caught:
        upload()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        Failure.of(caught.value, None)


def test_the_token_is_hidden(monkeypatch):
    assert "hf_abc" not in Failure.of(RuntimeError("for hf_abc"), "hf_abc").what
    monkeypatch.setenv("HF_TOKEN", "hf_saved")
    assert "hf_saved" not in Failure.of(RuntimeError("for hf_saved"), None).what


def test_white_space_around_a_token_is_dropped():
    assert checked_token("hf_abc\n") == "hf_abc" and checked_token(None) is None
