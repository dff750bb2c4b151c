"""The images of Python's qrcode and pillow; prints their lines of expect.txt. Called by make.sh."""

import io

import qrcode
import segno
from PIL import Image, ImageDraw, ImageFont, ImageOps

SECRET = "GEZDGNBVGY3TQOJQ" * 4
AWS = (
    "otpauth://totp/Amazon%20Web%20Services:mfauser@123456789012"
    f"?secret={SECRET}&issuer=Amazon%20Web%20Services"
)
OTHER = "otpauth://totp/ACME%20Co:john.doe@example.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co"
WEB = "https://example.com"


def code(text, px, quiet=4):
    made = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, box_size=px, border=quiet)
    made.add_data(text)
    made.make()
    return made.make_image().get_image().convert("L")


def save(name, image, *expected, **how):
    image.save(name, **how)
    print(name, *expected, sep="\t")


for px in range(3, 13):
    save(f"python-{px}.png", code(AWS, px).convert("1"), AWS)
plain = code(AWS, 4)
save("python-grey.png", plain, AWS)
save("python-rgb.png", plain.convert("RGB"), AWS)
save("python-palette.png", plain.convert("P"), AWS)
save("python-16-bit.png", plain.convert("I;16").point(lambda v: v * 257), AWS)
save("python-grey.jpg", plain, AWS, quality=60)
save("python-progressive.jpg", plain.convert("RGB"), AWS, quality=70, progressive=True)
save("python-cmyk.jpg", plain.convert("CMYK"), AWS, quality=70)
save("python.gif", plain, AWS)
save("python-animated.gif", plain, AWS, save_all=True, append_images=[code(OTHER, 4)])
save("python.bmp", plain.convert("1"), AWS)
save("python-palette.bmp", plain.convert("P"), AWS)
save("python-lossless.webp", plain, AWS, lossless=True)
save("python-lossy.webp", plain, AWS, quality=60)
save("python.tiff", plain.convert("1"), AWS)
save("python-lzw.tiff", plain, AWS, compression="tiff_lzw")
save("python-deflate.tiff", plain.convert("RGB"), AWS, compression="tiff_adobe_deflate")
small = code(OTHER, 4).convert("RGB")
small.save("python.ico", sizes=[small.size])
print("python.ico", OTHER, sep="\t")
save("python.tga", plain.convert("RGB"), AWS, compression="tga_rle")
save("python-1.pbm", plain.convert("1"), AWS)
save("python.pgm", code(AWS, 3), AWS)
save("python-inverted.png", ImageOps.invert(plain), AWS)
save("python-mirrored.png", ImageOps.mirror(plain), AWS)
save("python-quarter-turn.png", plain.rotate(90), AWS)
save("python-half-turn.png", plain.rotate(180), AWS)
save("python-turned.png", plain.rotate(17, Image.Resampling.BICUBIC, expand=True, fillcolor=255), AWS)

black_on_clear = Image.new("LA", plain.size, (0, 0))
black_on_clear.putalpha(ImageOps.invert(plain))
save("python-black-on-clear.png", black_on_clear, AWS)
white_on_clear = Image.new("RGBA", plain.size, (255, 255, 255, 0))
white_on_clear.putalpha(ImageOps.invert(plain))
save("python-white-on-clear.png", white_on_clear, AWS)

other, web = code(OTHER, 3), code(WEB, 5)
page = Image.new("L", (640, 560), 255)
page.paste(plain, (20, 10))
page.paste(other, (360, 40))
page.paste(web, (200, 300))
save("python-three.png", page, AWS, OTHER, WEB)
page = Image.new("L", (560, 300), 255)
page.paste(ImageOps.invert(plain), (20, 10))
page.paste(other, (330, 60))
save("python-two-polarities.png", page, AWS, OTHER)

def on_page(image, shade, around=100):
    page = Image.new("L", (image.width + 2 * around, image.height + 2 * around), shade)
    page.paste(image, (around, around))
    return page


# Without a margin, on pages as dark as the modules or nearly so, in a frame, and cut through the outer modules.
bare = code(AWS, 4, quiet=0)
save("python-bare-on-black.png", on_page(bare, 0), AWS)
save("python-bare-on-080808.png", on_page(bare, 8), AWS)
save("python-bare-inverted-on-white.png", on_page(ImageOps.invert(bare), 255), AWS)
save("python-black-frame.png", on_page(on_page(bare, 0, 3), 255), AWS)
save("python-cut-half-a-module.png", bare.crop((2, 2, bare.width - 2, bare.height - 2)), AWS)
save("python-cut-at-the-left.png", plain.crop((16 + 3, 0, plain.width, plain.height)), AWS)
save("python-cut-inverted.png", ImageOps.invert(bare.crop((2, 2, bare.width - 2, bare.height - 2))), AWS)

# Characters and blocks with gaps between them, as terminals draw them.
lines = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_L, border=2)
lines.add_data(AWS)
modules = lines.get_matrix()
font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", 12)
art = Image.new("L", (len(modules) * 14 + 20, len(modules) * 15 + 20), 12)
for y, row in enumerate(modules):
    for x, dark in enumerate(row):
        if not dark:
            ImageDraw.Draw(art).text((10 + 14 * x, 10 + 15 * y), "##", font=font, fill=220)
save("python-ascii-art.png", art, AWS)
gaps = Image.new("L", (len(modules) * 9, len(modules) * 11), 255)
for y, row in enumerate(modules):
    for x, dark in enumerate(row):
        if dark:
            ImageDraw.Draw(gaps).rectangle((9 * x, 11 * y, 9 * x + 6, 11 * y + 7), fill=0)
save("python-gaps.png", gaps, AWS)

# Structured append: the parts beside each other, out of order, and one of them alone.
def drawn(part):
    png = io.BytesIO()
    part.save(png, kind="png", scale=4)
    return Image.open(png).convert("L")


parts = [drawn(part) for part in segno.make_sequence(AWS, symbol_count=3, error="m")]
sheet = Image.new("L", (sum(part.width for part in parts), max(part.height for part in parts)), 255)
sheet.paste(parts[2], (0, 0))
sheet.paste(parts[0], (parts[2].width, 0))
sheet.paste(parts[1], (parts[2].width + parts[0].width, 0))
save("python-split.png", sheet, AWS)
save("python-split-part-1.png", parts[0], "error:QrPart")
save("python-split-part-3.png", parts[2], "error:QrPart")

save("python-float.tiff", plain.convert("F"), "error:ImageUnsupported", compression="tiff_adobe_deflate")
save("python-white.png", Image.new("L", (300, 200), 255), "error:NoQrCode")
save("python-dot.png", Image.new("L", (1, 1), 0), "error:NoQrCode")
