"""Words for what goes wrong between this machine and the Hub, and whether it passes by itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from huggingface_hub import get_token
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import parse_ratelimit_headers


LOST_ERRORS = (ConnectionError, TimeoutError)
# What huggingface_hub raises while it commits: statuses, lost connections (hf_xet's are Python's own), other errors of
# its uploaders, answers of proxies.
HUB_ERRORS = (HTTPError, *LOST_ERRORS, RuntimeError, json.JSONDecodeError)
PASSING = (408, 409, 412, 425, 429, 500, 502, 503, 504)
LOG_IN = "Create a token with write access at https://huggingface.co/settings/tokens and log in with `hf auth login`"
# Status -> what it means and what to do. Without a token, 401 means another thing.
MEANINGS = {
    401: ("the Hub does not know the token: it is wrong, expired or revoked", LOG_IN),
    403: ("the token may not write there", f"{LOG_IN}, or push to a name of your own"),
    404: ("there is no such repository or branch, or the token may not see it", "Check the id and the token"),
    409: ("others commit to it again and again", "Push again later"),
    412: ("others commit to it again and again", "Push again later"),
    429: ("the Hub gets too many requests from you", "Push again later"),
}
NO_TOKEN = ("the Hub asks who you are, and there is no token", f"{LOG_IN}, or set HF_TOKEN")
OFFLINE = ("HF_HUB_OFFLINE is set, which forbids every connection to the Hub", "Unset it and push again")
LOST = ("the connection was refused, cut or silent", "Check the network and HF_ENDPOINT, and push again")


class PushError(OSError):
    """A push that failed. The files on this machine are as they were; the same push can be made again."""


@dataclass(frozen=True)
class Failure:
    """An error of the Hub in words.

    Args:
        what (`str`): what went wrong. The token is not in it.
        advice (`str`): what to do, a sentence without its full stop.
        passes (`bool`): whether the same call may succeed a moment later.
        wait (`float`): seconds for which the Hub asks to wait, 0 where it does not.
    """

    what: str
    advice: str
    passes: bool
    wait: float

    @classmethod
    def of(cls, error: Exception, token: str | None) -> Failure:
        """Describe an error.

        Args:
            error (`Exception`): one of `HUB_ERRORS`.
            token (`str`, *optional*): that was given.

        Raises:
            OSError: the error was raised from this one, of a file on this machine.
        """
        error = _cause_of(error)
        token = token or get_token()
        if isinstance(error, HfHubHTTPError):
            what, advice, can_pass = _of_answer(error, token is not None)
        elif isinstance(error, OfflineModeIsEnabled):
            (what, advice), can_pass = OFFLINE, False
        elif isinstance(error, OSError) and not isinstance(error, LOST_ERRORS):
            raise error
        else:
            what, advice, can_pass = f"{LOST[0]} ({_one_line(error) or type(error).__name__})", LOST[1], True
        return cls(what.replace(token, "hf_***") if token else what, advice, can_pass, _asked_wait(error))


def checked_token(token: str | None) -> str | None:
    """Return a token without the white space around it.

    Args:
        token (`str`, *optional*): of the Hub.

    Raises:
        ValueError: it cannot be a token. It is not shown.
    """
    if token is None or re.fullmatch(r"[!-~]+", token.strip()):
        return token and token.strip()
    raise ValueError(
        "`token` must be a token of the Hub, such as hf_..., got a text that is empty or has blanks, line breaks or "
        "letters that no token has (it is not shown)"
    )


def _cause_of(error: Exception) -> Exception:
    """The error that the upload of one of several files was raised from."""
    while isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error


def _of_answer(error: HfHubHTTPError, has_token: bool) -> tuple[str, str, bool]:
    status = error.response.status_code
    meaning = NO_TOKEN if status == 401 and not has_token else MEANINGS.get(status)
    what, advice = meaning or (
        "the Hub answers",
        "Push again later" if status in PASSING else "Mend it and push again",
    )
    return f"{what} ({_answer(error)})", advice, status in PASSING


def _answer(error: HfHubHTTPError) -> str:
    """Status and message of the server, and the id by which the Hub's people find the request."""
    response = error.response
    request = response.headers.get("x-request-id")
    status = f"{response.status_code} {response.reason_phrase}".strip()
    said = " ".join((error.server_message or "").split())
    return ", ".join(filter(None, [f"{status}: {said}" if said else status, request and f"request {request}"]))


def _asked_wait(error: Exception) -> float:
    if not isinstance(error, HfHubHTTPError):
        return 0.0
    limit = parse_ratelimit_headers(error.response.headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    asked = error.response.headers.get("Retry-After", "").strip()
    return float(asked) if asked.isdigit() else 0.0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
