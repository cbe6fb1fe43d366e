"""Errors that tell of bad input, a missing file or extra, or a damaged model: a line for the user, no bug."""

from safetensors import SafetensorError


INPUT_ERRORS = (ValueError, OSError, ImportError, SafetensorError)


def input_error_type(error: BaseException) -> type[Exception] | None:
    """Return which error of bad input this is, or `None` where it is a bug.

    Args:
        error (`BaseException`): an error. One of a configuration, a field of a wrong type or fields that do not fit
            each other, counts as a `ValueError`.
    """
    from huggingface_hub.errors import StrictDataclassClassValidationError, StrictDataclassFieldValidationError

    if isinstance(error, (StrictDataclassClassValidationError, StrictDataclassFieldValidationError)):
        return ValueError
    return next((kind for kind in INPUT_ERRORS if isinstance(error, kind)), None)
