"""Makes pictures that QR readers often miss: ASCII art, block art with gaps, codes without a margin on dark pages and in
frames, codes cut at the edge, and codes split over several symbols.

    benches/qr_pages.py FOLDER SEED
    cargo bench --bench qr_devset -- FOLDER VERBOSE

Needs numpy, pillow, qrcode and segno from PyPI, and Debian's fonts-dejavu. Judge with a seed that nobody has looked at.
"""

import json
import random
import sys
from pathlib import Path

import numpy
import qrcode
import segno
from PIL import Image, ImageDraw, ImageFont

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
dice = random.Random(seed)
folder.mkdir(parents=True, exist_ok=True)
manifest = (folder / "manifest.jsonl").open("w")
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
count = 0


def uri():
    secret = lambda length: "".join(dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(length))
    user = dice.randrange(1000)
    if dice.random() < 0.6:
        label = f"Amazon%20Web%20Services:u{user}@{dice.randrange(10**11, 10**12)}"
        return f"otpauth://totp/{label}?secret={secret(64)}&issuer=Amazon%20Web%20Services"
    return f"otpauth://totp/GitHub:user{user}?secret={secret(dice.choice([16, 32]))}&issuer=GitHub"


def modules(text, level="M"):
    """True is dark."""
    code = qrcode.QRCode(error_correction=dict(L=1, M=0, Q=3, H=2)[level], border=0)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return numpy.array(code.get_matrix(), bool)


def pixels(matrix, size):
    return numpy.kron(numpy.where(matrix, 0, 255).astype(numpy.uint8), numpy.ones((size, size), numpy.uint8))


def save(picture, kind, expected):
    global count
    count += 1
    if isinstance(picture, numpy.ndarray):
        picture = Image.fromarray(picture)
    path = f"{kind}-{count:03d}.png"
    picture.save(folder / path)
    manifest.write(json.dumps(dict(path=path, set=kind, expect=expected)) + "\n")


def ascii_art(characters, size, dark):
    text = uri()
    matrix = numpy.pad(modules(text, "L"), 2)
    font = ImageFont.truetype(FONT, size)
    height = sum(font.getmetrics())
    width = int(matrix.shape[1] * 2 * font.getlength("M")) + 40
    page, ink = ((12, 12, 12), (220, 220, 220)) if dark else ((255, 255, 255), (0, 0, 0))
    picture = Image.new("RGB", (width, matrix.shape[0] * height + 40), page)
    draw = ImageDraw.Draw(picture)
    for number, row in enumerate(matrix):
        line = "".join(characters if bool(module) != dark else "  " for module in row)
        draw.text((20, 20 + number * height), line, font=font, fill=ink)
    save(picture, "ascii", [text])


def block_art(size, gap, dark):
    text = uri()
    matrix = numpy.pad(modules(text), 4)
    step, ink = size + gap, 255 if dark else 0
    picture = numpy.full((matrix.shape[0] * step, matrix.shape[1] * step), 255 - ink, numpy.uint8)
    for (y, x), module in numpy.ndenumerate(matrix):
        if module != dark:
            picture[y * step : y * step + size, x * step : x * step + size] = ink
    save(picture, "block-gap", [text])


def dark_page(page, size, margin):
    text = uri()
    code = pixels(numpy.pad(modules(text), margin), size)
    side = code.shape[0]
    width, height = side + dice.randrange(60, 500), side + dice.randrange(60, 300)
    picture = numpy.full((height, width), page, numpy.uint8)
    x, y = dice.randrange(20, width - side - 20), dice.randrange(20, height - side - 20)
    picture[y : y + side, x : x + side] = code
    picture = Image.fromarray(picture).convert("RGB")
    words = ImageFont.truetype(FONT, 11)
    ImageDraw.Draw(picture).text((5, 2), "Scan this code with your app", font=words, fill=(200, 200, 200))
    save(picture, "dark", [text])


def frame(size, width, inverted):
    text = uri()
    code = pixels(modules(text), size)
    side = code.shape[0]
    picture = numpy.full((side + 2 * width + 120, side + 2 * width + 160), 255, numpy.uint8)
    picture[60 : 60 + side + 2 * width, 80 : 80 + side + 2 * width] = 0
    picture[60 + width : 60 + width + side, 80 + width : 80 + width + side] = code
    save(255 - picture if inverted else picture, "frame", [text])


def cut(size, part, sides, inverted):
    text = uri()
    code = pixels(modules(text), size)
    margin, off, side = 40, int(size * part), code.shape[0]
    picture = numpy.pad(code, margin, constant_values=255)
    first = margin + off if sides in ("all", "left and top") else 0
    bottom = margin + side - off if sides in ("all", "bottom") else side + 2 * margin
    right = margin + side - off if sides in ("all", "right") else side + 2 * margin
    picture = picture[first:bottom, first:right]
    save(255 - picture if inverted else picture, "cut", [text])


def split(parts, size):
    text = uri()
    symbols = [
        pixels(numpy.pad(numpy.array([[bool(module) for module in row] for row in symbol.matrix]), 4), size)
        for symbol in segno.make_sequence(text, symbol_count=parts, error="m")
    ]
    dice.shuffle(symbols)
    height = max(symbol.shape[0] for symbol in symbols)
    pad = lambda symbol: numpy.pad(symbol, ((0, height - symbol.shape[0]), (0, 0)), constant_values=255)
    save(numpy.hstack([pad(symbol) for symbol in symbols]), "split", [text])
    save(symbols[0], "split-part", [])


for dark in (False, True):
    for characters in ("##", "██", "@@", "MM", "XX"):
        for size in (12, 14, 18):
            ascii_art(characters, size, dark)
    for size in (6, 8, 10):
        for gap in (1, 2, 3):
            block_art(size, gap, dark)
    for size in (3, 5, 7):
        for width in (1, 3, 8, 20):
            frame(size, width, dark)
    for size in (4, 6, 9, 12):
        for part in (0, 0.25, 0.5, 0.75):
            for sides in ("all", "left and top", "right", "bottom"):
                cut(size, part, sides, dark)
for page in (0, 1, 2, 4, 8, 10, 14, 16, 24):
    for size in (3, 4, 5, 8):
        for margin in (0, 1):
            dark_page(page, size, margin)
for parts in (2, 3, 4):
    for size in (3, 5):
        split(parts, size)
manifest.close()
print(f"{count} pictures in {folder}")
