"""Cut garments: outlines of their parts in garment units, from type, sleeves, neckline and hem."""

from dataclasses import dataclass, field

import numpy as np

from .geometry import Polygon, ellipse, mirror, rectangle


HEM_BAND = 0.085
SLEEVE_LENGTHS = {"short": 0.17, "elbow": 0.28, "long": 0.43}
# Where the trimmings of a sleeve begin and end, in distances from its end: what its length looks like from near by.
CUFFS = {"short": [(0.0, 0.05)], "elbow": [(0.02, 0.045), (0.07, 0.095)], "long": [(0.0, 0.085)]}
SHOULDER, ARMPIT, NECK = (0.19, 0.185), (0.17, 0.37), (0.085, 0.145)


@dataclass
class Cut:
    """
    Outlines of a garment's parts, in garment units.

    Args:
        body (`Polygon`): trunk or legs.
        sleeves (`list[Polygon]`, *optional*): both sleeves.
        back (`list[Polygon]`, *optional*): parts behind the body, such as a hood.
        opening (`list[Polygon]`, *optional*): the opening of the neck.
        flaps (`list[Polygon]`, *optional*): parts of a collar.
        bands (`list[Polygon]`, *optional*): trimmings of hem and sleeves, in a colour that stands out.
        seams (`list[Polygon]`, *optional*): lines, not filled.
        buttons (`list[tuple[float, float]]`, *optional*): middles of the buttons.
        regions (`dict[str, list[Polygon]]`, *optional*): entity (sleeve, neckline, hem) -> outlines of its true box.
    """

    body: Polygon
    sleeves: list[Polygon] = field(default_factory=list)
    back: list[Polygon] = field(default_factory=list)
    opening: list[Polygon] = field(default_factory=list)
    flaps: list[Polygon] = field(default_factory=list)
    bands: list[Polygon] = field(default_factory=list)
    seams: list[Polygon] = field(default_factory=list)
    buttons: list[tuple[float, float]] = field(default_factory=list)
    regions: dict[str, list[Polygon]] = field(default_factory=dict)


def cut_garment(article_type: str, sleeve: str | None, neckline: str | None, hem: str, arm_angle: float) -> Cut:
    """
    Cut one garment. All words are of the vocabulary.

    Args:
        article_type (`str`): type of the garment.
        sleeve (`str`, *optional*): `None` if the type has no sleeves.
        neckline (`str`, *optional*): `None` if the type has no neckline.
        hem (`str`): form of the hem.
        arm_angle (`float`): angle of the sleeves from the vertical, in radians.
    """
    cut = _cut_legs(hem, **LEGS[article_type]) if article_type in LEGS else _cut_trunk(hem, **TRUNKS[article_type])
    if sleeve is not None:
        _add_sleeves(cut, sleeve, arm_angle)
    if neckline is not None:
        _add_neckline(cut, neckline)
    _add_details(cut, article_type, neckline)
    return cut


LEGS = {
    "trousers": {"crotch": 0.4, "hip": (0.17, 0.3), "inner": 0.03, "outer": (0.19, 0.92)},
    "shorts": {"crotch": 0.38, "hip": (0.18, 0.3), "inner": 0.02, "outer": (0.215, 0.56)},
}
TRUNKS = {
    "t-shirt": {"side": [NECK, SHOULDER, ARMPIT], "outer": (0.18, 0.7)},
    "shirt": {"side": [NECK, SHOULDER, ARMPIT, (0.16, 0.5)], "outer": (0.185, 0.74)},
    "sweater": {"side": [NECK, SHOULDER, ARMPIT], "outer": (0.19, 0.7)},
    "hoodie": {"side": [NECK, SHOULDER, ARMPIT], "outer": (0.195, 0.72)},
    "jacket": {"side": [NECK, SHOULDER, ARMPIT], "outer": (0.2, 0.68)},
    "coat": {"side": [NECK, SHOULDER, ARMPIT, (0.165, 0.52)], "outer": (0.24, 0.9)},
    "dress": {"side": [NECK, (0.17, 0.18), (0.15, 0.37), (0.12, 0.5)], "outer": (0.27, 0.9)},
    "skirt": {"side": [(0.12, 0.2), (0.125, 0.25)], "outer": (0.25, 0.75)},
}


def _cut_trunk(hem: str, side: Polygon, outer: tuple[float, float]) -> Cut:
    edge = _hem_edge(-outer[0], outer[0], outer[1], hem)
    cut = Cut(body=mirror(side) + side + edge)
    _add_hem(cut, hem, _strip(side[-1], outer, mirror([side[-1]])[0], (-outer[0], outer[1])), edge)
    return cut


def _cut_legs(hem: str, crotch: float, hip: tuple[float, float], inner: float, outer: tuple[float, float]) -> Cut:
    waist = (0.13, 0.12)
    edge = _hem_edge(inner, outer[0], outer[1], hem)
    leg = [waist, hip, *edge]
    cut = Cut(body=[*leg, (0.0, crotch), *mirror(leg)])
    strip = _strip(hip, outer, (0.0, crotch), (inner, outer[1]))
    for band, outline in ((strip, edge), (mirror(strip), mirror(edge))):
        _add_hem(cut, hem, band, outline)
    return cut


def _hem_edge(left: float, right: float, y: float, hem: str) -> Polygon:
    """Return the lower edge from right to left."""
    t = np.linspace(0, 1, 33)
    drop = {
        "curved": 0.07 * np.sin(np.pi * t),
        "slanted": 0.14 * (t - 0.5),
        "scalloped": 0.04 * np.abs(np.sin((5 if right - left > 0.25 else 3) * np.pi * t)),
    }.get(hem, np.zeros_like(t))
    return list(zip((right + (left - right) * t).tolist(), (y + drop).tolist(), strict=True))


def _strip(right_top, right_bottom, left_top, left_bottom) -> Polygon:
    """Return the strip of height `HEM_BAND` above the hem line, between the two sides that lead down to it."""

    def above(top, bottom):
        share = HEM_BAND / (bottom[1] - top[1])
        return (bottom[0] + (top[0] - bottom[0]) * share, bottom[1] - HEM_BAND)

    return [above(right_top, right_bottom), right_bottom, left_bottom, above(left_top, left_bottom)]


def _add_hem(cut: Cut, hem: str, strip: Polygon, edge: Polygon) -> None:
    """Add the trimming that tells a hem from the others by its own pixels, and its region."""
    if hem == "banded":
        cut.bands.append(strip)
    elif hem == "straight":  # a row of large stitches
        corner, _, _, end = (np.array(point) for point in strip)
        shares = np.linspace(0.04, 0.96, 9)
        places = [corner + (end - corner) * share + (0, HEM_BAND * 0.55) for share in shares]
        cut.bands.extend(rectangle(x - 0.008, y - 0.016, x + 0.008, y + 0.016) for x, y in places)
    else:  # a narrow border that follows the edge
        width = 0.022 if hem == "scalloped" else 0.035
        cut.bands.append([*edge, *((x, y - width) for x, y in reversed(edge))])
    cut.regions.setdefault("hem", []).extend([strip, edge])


def _add_sleeves(cut: Cut, sleeve: str, arm_angle: float) -> None:
    if sleeve == "sleeveless":
        # There is no sleeve: the bare edge of the armhole shows it.
        armhole = [(SHOULDER[0] - 0.05, SHOULDER[1] - 0.02), (SHOULDER[0] + 0.03, ARMPIT[1])]
        edge = [SHOULDER, (SHOULDER[0] - 0.03, SHOULDER[1]), (ARMPIT[0] - 0.03, ARMPIT[1]), ARMPIT]
        cut.bands += [edge, mirror(edge)]
        cut.regions["sleeve"] = [armhole, mirror(armhole)]
        return
    length = SLEEVE_LENGTHS[sleeve]
    along = np.array([np.sin(arm_angle), np.cos(arm_angle)])
    across = np.array([along[1], -along[0]])
    top, bottom = np.array([0.165, 0.178]), np.array([0.15, 0.35])
    wrist = top + along * length + across * 0.01
    width = 0.15 - 0.16 * length
    outline = [top, wrist, wrist - across * width, bottom]
    right = [tuple(point.tolist()) for point in outline]
    cut.sleeves = [right, mirror(right)]
    cuffs = [_across(outline, *share) for share in CUFFS[sleeve]]
    cut.bands += cuffs + [mirror(cuff) for cuff in cuffs]
    cut.regions["sleeve"] = cut.sleeves


def _across(outline: list[np.ndarray], start: float, end: float) -> Polygon:
    """Return the part of a sleeve between two distances from its end, in garment units."""
    top, wrist, under, bottom = outline

    def towards(corner: np.ndarray, other: np.ndarray, distance: float) -> tuple[float, float]:
        return tuple((corner + (other - corner) * distance / np.linalg.norm(other - corner)).tolist())

    return [
        towards(wrist, top, start),
        towards(wrist, top, end),
        towards(under, bottom, end),
        towards(under, bottom, start),
    ]


def _add_neckline(cut: Cut, neckline: str) -> None:
    half, top = NECK
    back = ellipse((0, top), (half, 0.028), 0.5, 1.0)
    if neckline == "round":
        cut.opening = [ellipse((0, top - 0.005), (half, 0.075), 0.0, 0.5) + back]
    elif neckline == "v":
        cut.opening = [[(half, top), (0, top + 0.17), (-half, top), *back]]
    elif neckline == "square":
        cut.opening = [[(half, top), (half * 0.85, top + 0.1), (-half * 0.85, top + 0.1), (-half, top), *back]]
    elif neckline == "collar":
        flap = [(half + 0.015, top - 0.005), (0.1, top + 0.075), (0.045, top + 0.115), (0, top + 0.05), (0.02, top)]
        cut.opening = [[(half, top), (0, top + 0.06), (-half, top), *back]]
        cut.flaps = [flap, mirror(flap)]
    elif neckline == "hood":
        cut.back = [ellipse((0, top - 0.005), (0.125, 0.13))]
        cut.opening = [ellipse((0, top), (0.085, 0.095))]
    else:
        cut.flaps = [[(half, top + 0.03), (half * 0.9, top - 0.055), (-half * 0.9, top - 0.055), (-half, top + 0.03)]]
    cut.regions["neckline"] = cut.opening + cut.flaps + cut.back


def _add_details(cut: Cut, article_type: str, neckline: str | None) -> None:
    """Add seams, plackets and buttons, which tell types apart when colour and sleeves are the same."""
    bottom = LEGS[article_type]["outer"][1] if article_type in LEGS else TRUNKS[article_type]["outer"][1]
    if article_type == "shirt":
        cut.seams = [[(0.018, 0.2), (0.018, bottom)], [(-0.018, 0.2), (-0.018, bottom)]]
        cut.buttons = [(0.0, y) for y in np.arange(0.29, bottom - 0.04, 0.09)]
    elif article_type == "jacket":
        cut.seams = [[(0, 0.2), (0, bottom)], [(0.06, 0.52), (0.14, 0.6)], [(-0.06, 0.52), (-0.14, 0.6)]]
    elif article_type == "coat":
        cut.seams = [[(0.03, 0.2), (0.03, bottom)], [(-0.165, 0.5), (0.165, 0.5)]]
        cut.buttons = [(x, y) for y in (0.3, 0.41, 0.6) for x in (-0.035, 0.0)]
    elif article_type == "hoodie":
        cut.seams = [[(-0.1, 0.66), (-0.08, 0.52), (0.08, 0.52), (0.1, 0.66)], [(-0.03, 0.24), (-0.035, 0.34)]]
        cut.seams.append([(0.03, 0.24), (0.035, 0.34)])
    elif article_type == "dress":
        cut.seams = [[(-0.12, 0.5), (0.12, 0.5)], [(-0.06, 0.52), (-0.12, 0.88)], [(0.06, 0.52), (0.12, 0.88)]]
    elif article_type == "skirt":
        cut.seams = [[(-0.12, 0.245), (0.12, 0.245)], [(0.05, 0.27), (0.1, 0.72)], [(-0.05, 0.27), (-0.1, 0.72)]]
    elif article_type in LEGS:
        cut.seams = [[(-0.135, 0.16), (0.135, 0.16)], [(0, 0.16), (0, 0.38)], [(0.1, 0.17), (0.16, 0.26)]]
        cut.seams.append([(-0.1, 0.17), (-0.16, 0.26)])
    if article_type == "sweater" and neckline != "high":
        cut.seams = [[(-0.18, 0.66), (0.18, 0.66)]]
