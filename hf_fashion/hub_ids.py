"""Tell ids on the Hub from paths and other names."""

from huggingface_hub.utils import HFValidationError, validate_repo_id


def is_hub_id(name: str, owner: bool = False) -> bool:
    """Return whether a name can be the id of a repository on the Hub: `NAME` or `OWNER/NAME`.

    A path of one or two parts may look the same: where there is such a file or folder, callers take that.

    Args:
        name (`str`): the name.
        owner (`bool`, *optional*, defaults to `False`): whether it must have an owner.
    """
    if name.count("/") != 1 and (owner or "/" in name):
        return False
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True
