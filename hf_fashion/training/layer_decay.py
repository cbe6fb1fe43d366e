"""Layer-wise learning-rate decay: the nearer a layer is to a tower's input, the smaller its learning rate."""

import re
from collections.abc import Mapping, Sequence


# The number of a layer follows the name of the list that it is in.
LAYER = re.compile(r"(?:^|\.)(?:layers?|blocks?|h)\.(\d+)\.")
# Modules in front of the first layer. CLIP's layer norm there is spelled so.
IN_FRONT = re.compile(r"embed|(?:^|\.)(?:shared|wte|wpe|pre_layrnorm)\.")


def layer_scales(
    names: Sequence[str], decays: Mapping[str, float], new_modules: Sequence[str] = ()
) -> dict[str, float]:
    """Return the factor on the learning rate of each parameter.

    Of a tower of L layers, layer l (from 1) has `decay ** (L + 1 - l)`, and its embeddings have `decay ** (L + 1)`, as
    in BEiT (Bao et al. 2022). What is behind the layers and what is new has 1, and so has all that no key begins.

    Args:
        names (`Sequence[str]`): names of all parameters of the model.
        decays (`Mapping[str, float]`): prefix of the names of a tower -> decay.
        new_modules (`Sequence[str]`, *optional*): prefixes of the names of modules that no checkpoint has trained.

    Raises:
        ValueError: if a key begins the name of no layer, or the layers of two lists.
    """
    scales = dict.fromkeys(names, 1.0)
    for tower, decay in decays.items():
        inside = [name for name in names if name.startswith(tower) and not name.startswith(tuple(new_modules))]
        numbers = _layer_numbers(tower, inside, names)
        depth = max(numbers.values())
        for name in inside:
            if name in numbers:
                scales[name] = decay ** (depth + 1 - numbers[name])
            elif IN_FRONT.search(name.removeprefix(tower)):
                scales[name] = decay ** (depth + 1)
    return scales


def _layer_numbers(tower: str, inside: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Numbers of the layers that parameters are in, from 1; the first number in a name counts."""
    found = {name: match for name in inside if (match := LAYER.search(name))}
    lists = sorted({name[: match.start(1)] for name, match in found.items()})
    if len(lists) != 1:
        parts = ", ".join(dict.fromkeys(name.split(".")[0] for name in names))
        raise ValueError(
            f"`layer_decay` names {tower!r}, which must begin the names of one tower's layers; it begins those of "
            f"{', '.join(lists) or 'none'}. The model's parts are {parts}."
        )
    return {name: int(match[1]) + 1 for name, match in found.items()}
