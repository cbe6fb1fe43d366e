"""Look up versions of installed packages, without importing them."""

from importlib.metadata import PackageNotFoundError, version


def installed_version(package: str) -> str | None:
    """Return the version of a package; of one that is not installed, such as a clone on the path, `None`.

    Args:
        package (`str`): its name on PyPI.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return None
