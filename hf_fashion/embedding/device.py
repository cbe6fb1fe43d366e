"""Find the device that a model runs on."""

import torch


def device_of(name: str | torch.device | None = None) -> torch.device:
    """Return the device of this name; by default a GPU if there is one, else the CPU.

    Args:
        name (`str` or `torch.device`, *optional*): such as `"cpu"` or `"cuda:1"`.

    Raises:
        ValueError: there is no such device on this machine.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)  # torch.device accepts devices that are missing
    except (RuntimeError, AssertionError) as error:
        here = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        raise ValueError(
            f"the device must be on this machine and PyTorch built for it, such as {', '.join(here)}; got {name!r} "
            f"({str(error).splitlines()[0]})"
        ) from error
    return device
