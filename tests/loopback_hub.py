"""A Hub on loopback for the process of the tests."""

import time
from collections.abc import Iterator

import pytest

from tests.hub_server import HubServer


@pytest.fixture
def hub(monkeypatch) -> Iterator[HubServer]:
    """Yield a Hub that huggingface_hub talks to in this process; nothing waits between two tries."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with HubServer() as server:
        server.use_here(monkeypatch)
        yield server
