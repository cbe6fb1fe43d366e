"""Find the device that a model runs on, and what it has to emulate."""

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


def is_emulated(dtype: torch.dtype, device: str | torch.device) -> bool:
    """Return whether a device multiplies matrices of a float type without instructions for it, which takes several
    times as long as in float32: a CPU in bfloat16 or float16, where PyTorch's oneDNN knows that it has none.

    Args:
        dtype (`torch.dtype`): the float type.
        device (`str` or `torch.device`): the device.
    """
    halves = {torch.bfloat16: "_is_mkldnn_bf16_supported", torch.float16: "_is_mkldnn_fp16_supported"}
    if torch.device(device).type != "cpu" or dtype not in halves or not torch.backends.mkldnn.is_available():
        return False
    return not getattr(torch.ops.mkldnn, halves[dtype])()
