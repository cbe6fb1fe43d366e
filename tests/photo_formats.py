"""Photos in the formats that shops have: their bytes, and the pixels that they show or why they are refused.

All show four areas of one colour. The expected pixels are computed from the colours, not by Pillow.
"""

import io
import struct
import zlib

import numpy as np
import PIL
from PIL import Image


WIDTH, HEIGHT = 64, 32  # areas of 32x16, whole blocks of JPEG
RED, GREEN, BLUE, SAND = (200, 30, 40), (20, 160, 60), (30, 50, 190), (220, 200, 150)
COLOURS = (RED, GREEN, BLUE, SAND)
ALPHAS = (255, 128, 0, 64)
GREYS = (0, 90, 170, 255)
GREYS_16_BIT = (0, 20_000, 43_690, 65_535)
TRNS_GREY = struct.pack(">H", 43_690)


def areas(values, dtype="uint8") -> np.ndarray:
    """(H, W) or (H, W, channels): the four values as areas, row by row."""
    grid = np.array(values, dtype=dtype)
    grid = grid.reshape(2, 2, *grid.shape[1:])
    return grid.repeat(HEIGHT // 2, axis=0).repeat(WIDTH // 2, axis=1)


def on_white(colours, alphas) -> np.ndarray:
    """(H, W, 3): colours of some opacity, painted on white."""
    return areas([[c * a / 255 + 255 - a for c in colour] for colour, a in zip(colours, alphas, strict=True)], float)


def grey(values) -> np.ndarray:
    """(H, W, 3): grey areas."""
    return areas([(value,) * 3 for value in values], float)


def saved(image: Image.Image | np.ndarray, kind: str, **options) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(bits: int, colour_type: int, rows: list[bytes], transparent: bytes = b"", size=(WIDTH, HEIGHT)) -> bytes:
    """The bytes of a PNG of a kind that Pillow does not write."""
    header = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", transparent), (b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows)))]
    body = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*chunks, (b"IEND", b""))
        if data or kind != b"tRNS"
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def tiff(bits: int, rows: list[bytes], white_is_zero: bool = False) -> bytes:
    """The bytes of a grey TIFF of a kind that Pillow does not write."""
    content, photometric = b"".join(rows), 0 if white_is_zero else 1
    sizes = {256: WIDTH, 257: HEIGHT, 258: bits, 259: 1, 262: photometric, 277: 1, 278: HEIGHT}
    longs = {273: 8, 279: len(content)}  # the pixels are behind the header, and the tags behind the pixels
    tags = {tag: struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in sizes.items()}
    tags |= {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in longs.items()}
    directory = struct.pack("<H", len(tags)) + b"".join(tags[tag] for tag in sorted(tags)) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + directory


def rows_of_12_bits(pixels: np.ndarray) -> list[bytes]:
    """The rows of a TIFF of 12 bits: two pixels in three bytes."""
    bits = (pixels[..., None] >> np.arange(11, -1, -1)) & 1  # (H, W, 12)
    return [np.packbits(row.flatten()).tobytes() for row in bits]


def rows_of(pixels: np.ndarray) -> list[bytes]:
    """The rows of a PNG of 8 or 16 bits."""
    return [row.tobytes() for row in pixels]


def exif(orientation: int) -> Image.Exif:
    """EXIF data that only say how a photo is to be turned."""
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as they are to be shown, by the EXIF standard."""
    mirrored = {
        2: np.fliplr,
        4: np.flipud,
        5: lambda p: p.transpose(1, 0, 2),
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    }
    rotated = {1: 0, 3: 2, 6: -1, 8: 1}
    return mirrored[orientation](pixels) if orientation in mirrored else np.rot90(pixels, rotated[orientation])


def lab_in_rgb(lightness: int, a: int, b: int) -> tuple[float, ...]:
    """CIELAB under D50, as TIFF has it, in sRGB: by the CIE's formulas and Bradford's adaptation to D65."""
    fy = (lightness / 255 * 100 + 16) / 116
    cubed = [f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29) for f in (fy + a / 500, fy, fy - b / 200)]
    xyz = np.array(cubed) * (0.9642, 1.0, 0.8249)
    to_srgb = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    linear = np.clip(np.array(to_srgb) @ xyz, 0, 1)
    return tuple(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def left_by_ink(colours) -> np.ndarray:
    """(H, W, 3): what inks (cyan, magenta, yellow, black) leave of white."""
    return areas([[(255 - ink) * (255 - black) / 255 for ink in inks] for *inks, black in colours], float)


def _animated_gif() -> bytes:
    frames = [
        Image.fromarray(areas(order)).convert("P", palette=Image.Palette.ADAPTIVE)
        for order in (COLOURS, COLOURS[::-1])
    ]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)


def _palette(**info) -> Image.Image:
    image = Image.new("P", (WIDTH, HEIGHT))
    image.putdata(areas((0, 1, 2, 3)).flatten().tolist())
    image.putpalette([value for colour in COLOURS for value in colour])
    image.info.update(info)
    return image


RGB, RGBA = areas(COLOURS), np.dstack([areas(COLOURS), areas(ALPHAS)])
EXPECTED = RGB.astype(float)
CMYK = ((0, 200, 180, 20), (220, 30, 250, 60), (250, 210, 0, 0), (10, 20, 90, 30))
YCBCR = ((90, 110, 200), (120, 90, 60), (60, 200, 110), (200, 100, 130))
LAB = ((110, 45, 25), (150, -35, 25), (90, 15, -40), (210, 5, 25))  # all of them colours that sRGB has
BIT = areas((0, 1, 1, 0))
SHARP = {"quality": 95, "subsampling": 0}  # colours as sharp as brightness, so that areas keep their edges
JPEG = saved(RGB, "JPEG", **SHARP)
HIGH = (areas(COLOURS).astype(int) * 256 + 77).astype(">u2")  # 16 bits a channel

# Name -> bytes of the file, the pixels (H, W, 3) that it shows, how far off (of 255) the format itself may be.
READABLE: dict[str, tuple[bytes, np.ndarray, float]] = {
    "png": (saved(RGB, "PNG"), EXPECTED, 0),
    "png, interlaced grey": (saved(areas(GREYS), "PNG"), grey(GREYS), 0),
    "png, rgba": (saved(RGBA, "PNG"), on_white(COLOURS, ALPHAS), 1),
    "png, grey and alpha": (
        saved(Image.fromarray(np.dstack([areas(GREYS), areas(ALPHAS)])), "PNG"),
        on_white([(value,) * 3 for value in GREYS], ALPHAS),
        1,
    ),
    "png, palette": (saved(_palette(), "PNG"), EXPECTED, 0),
    "png, palette with a transparent colour": (
        saved(_palette(), "PNG", transparency=1),
        on_white(COLOURS, (255, 0, 255, 255)),
        0,
    ),
    "png, palette with opacities": (
        saved(_palette(), "PNG", transparency=bytes(ALPHAS)),
        on_white(COLOURS, ALPHAS),
        1,
    ),
    "png, rgb with a transparent colour": (
        saved(RGB, "PNG", transparency=BLUE),
        on_white(COLOURS, (255, 255, 0, 255)),
        0,
    ),
    "png, grey with a transparent grey": (
        saved(areas(GREYS), "PNG", transparency=90),
        grey((0, 255, 170, 255)),
        0,
    ),
    "png, 2 bits with a transparent grey": (
        png(
            2,
            0,
            [np.packbits(np.unpackbits(row[:, None], axis=1)[:, -2:]).tobytes() for row in areas((0, 1, 2, 3))],
            b"\0\2",
        ),
        grey((0, 85, 255, 255)),
        0,
    ),
    "png, 1 bit": (saved(Image.fromarray(BIT.astype(bool)), "PNG"), grey((0, 255, 255, 0)), 0),
    "png, 1 bit with transparent black": (
        png(1, 0, [np.packbits(row).tobytes() for row in BIT], b"\0\0"),
        grey((255, 255, 255, 255)),
        0,
    ),
    "png, grey of 16 bits": (
        saved(areas(GREYS_16_BIT, "uint16"), "PNG"),
        grey([value / 257 for value in GREYS_16_BIT]),
        0.5,
    ),
    "png, grey of 16 bits with a transparent grey": (
        png(16, 0, rows_of(areas(GREYS_16_BIT, ">u2")), TRNS_GREY),
        grey((0, 20_000 / 257, 255, 255)),
        0.5,
    ),
    "png, rgb of 16 bits": (png(16, 2, rows_of(HIGH)), HIGH / 257, 1),
    "png, rgb of 16 bits with a transparent colour": (
        png(16, 2, rows_of(HIGH), struct.pack(">HHH", *HIGH[0, 0].tolist())),
        on_white(COLOURS, (0, 255, 255, 255)),
        1,
    ),
    "png, turned": (saved(RGB, "PNG", exif=exif(6)), turned(EXPECTED, 6), 0),
    "jpeg": (JPEG, EXPECTED, 4),
    "jpeg, grey": (saved(areas(GREYS), "JPEG", **SHARP), grey(GREYS), 2),
    "jpeg, cmyk": (saved(Image.fromarray(areas(CMYK), mode="CMYK"), "JPEG", **SHARP), left_by_ink(CMYK), 4),
    "jpeg, progressive": (saved(RGB, "JPEG", **SHARP, progressive=True), EXPECTED, 4),
    "jpeg with bytes after its end": (JPEG + b"\0" * 999 + b"trailer", EXPECTED, 4),
    "jpeg with damaged EXIF data": (
        saved(RGB, "JPEG", **SHARP, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12"),
        EXPECTED,
        4,
    ),
    **{
        f"jpeg, turned {number}": (saved(RGB, "JPEG", **SHARP, exif=exif(number)), turned(EXPECTED, number), 4)
        for number in range(1, 9)
    },
    "webp with alpha": (saved(RGBA, "WEBP", lossless=True, exact=True), on_white(COLOURS, ALPHAS), 1),
    "webp, turned": (saved(RGB, "WEBP", lossless=True, exif=exif(8)), turned(EXPECTED, 8), 0),
    "gif, animated": (_animated_gif(), EXPECTED, 0),
    "gif with a transparent colour": (
        saved(_palette(), "GIF", transparency=3),
        on_white(COLOURS, (255,) * 3 + (0,)),
        0,
    ),
    "bmp": (saved(RGB, "BMP"), EXPECTED, 0),
    "tiff, rgba": (saved(RGBA, "TIFF"), on_white(COLOURS, ALPHAS), 1),
    "tiff, turned": (saved(RGB, "TIFF", exif=exif(5)), turned(EXPECTED, 5), 0),
    "tiff, grey of 16 bits": (
        saved(areas(GREYS_16_BIT, "uint16"), "TIFF"),
        grey([value / 257 for value in GREYS_16_BIT]),
        0.5,
    ),
    "tiff, grey of 16 bits, big endian": (
        saved(Image.frombytes("I;16B", (WIDTH, HEIGHT), areas(GREYS_16_BIT, ">u2").tobytes()), "TIFF"),
        grey([value / 257 for value in GREYS_16_BIT]),
        0.5,
    ),
    "tiff, grey of 16 bits without compression": (
        tiff(16, rows_of(areas(GREYS_16_BIT, "<u2"))),
        grey([value / 257 for value in GREYS_16_BIT]),
        0.5,
    ),
    "tiff, cmyk": (saved(Image.fromarray(areas(CMYK), mode="CMYK"), "TIFF"), left_by_ink(CMYK), 1),
    "tiff, ycbcr": (
        saved(Image.fromarray(areas(YCBCR), mode="YCbCr"), "TIFF"),
        areas(
            [
                (y + 1.402 * (r - 128), y - 0.344136 * (b - 128) - 0.714136 * (r - 128), y + 1.772 * (b - 128))
                for y, b, r in YCBCR
            ],
            float,
        ).clip(0, 255),
        1.5,
    ),
    "tiff, lab": (
        saved(Image.fromarray(areas([(light, a % 256, b % 256) for light, a, b in LAB]), mode="LAB"), "TIFF"),
        areas([lab_in_rgb(*colour) for colour in LAB], float),
        2,
    ),
    "pgm of 10 bits": (
        b"P5 %d %d 1023\n" % (WIDTH, HEIGHT) + areas((0, 300, 700, 1023), ">u2").tobytes(),
        grey([value / 1023 * 255 for value in (0, 300, 700, 1023)]),
        0.5,
    ),
    "avif with alpha": (saved(RGBA, "AVIF", quality=100, subsampling="4:4:4"), on_white(COLOURS, ALPHAS), 4),
    "jpeg 2000": (saved(RGB, "JPEG2000"), EXPECTED, 1),
}

# Name -> bytes of the file, and the reason that is given.
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "a page of HTML": (
        b"<!DOCTYPE html><html>",
        "no photo that can be opened: it begins with b'<!DOCTYPE html><'",
    ),
    "heic": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "no photo that can be opened: it is HEIC",
    ),
    "jpeg, cut off": (JPEG[: len(JPEG) // 2], "[Tt]runcated"),
    "png, cut off": (saved(RGB, "PNG")[:-40], "truncated|broken"),
    "webp, cut off": (saved(RGB, "WEBP")[:60], "decode|truncated|image"),
    "tiff of floats": (
        saved(areas((0.0, 0.3, 0.6, 1.0), "float32"), "TIFF"),
        "its mode is 'F', which has no agreed white",
    ),
    "tiff of 32 bits": (saved(areas((0, 9, 99, 999), "int32"), "TIFF"), "its mode is 'I', which has no agreed white"),
    "tiff, grey of 12 bits": (
        tiff(12, rows_of_12_bits(areas((0, 1000, 3000, 4095), "uint16"))),
        "it is a TIFF in grey of 12 bits: convert it to 8 bits, or to 16 with 0 as black",
    ),
    "tiff, grey of 16 bits with 0 as white": (
        tiff(16, rows_of(areas(GREYS_16_BIT, "<u2")), white_is_zero=True),
        "it is a TIFF in grey of 16 bits, in which 0 is white: convert it",
    ),
    "eps": (saved(RGB, "EPS"), "EPS is a program"),
    "png of 90 megapixels": (
        png(1, 0, [], size=(9500, 9500)),
        r"it has 90,250,000 pixels \(9500x9500\): at most 89,478,485 are read; shrink it",
    ),
    "png of 900 megapixels": (
        png(1, 0, [], size=(30_000, 30_000)),
        "it has too many pixels: at most 89,478,485 are read",
    ),
    "png of one column": (
        png(1, 0, [], size=(1, 60_000)),
        "it is 1x60000, 100 times as long as wide or more: crop it",
    ),
}

if int(PIL.__version__.partition(".")[0]) < 13:  # takes such a file for RGB, and finds it too short
    REFUSED["tiff, ycbcr"] = (READABLE.pop("tiff, ycbcr")[0], "truncated")
