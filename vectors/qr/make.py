"""The images of Python's qrcode and pillow; prints their lines of expect.txt. Called by make.sh."""

import qrcode
from PIL import Image, ImageOps

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
save("python-white.png", Image.new("L", (300, 200), 255), "error:NoQrCode")
save("python-dot.png", Image.new("L", (1, 1), 0), "error:NoQrCode")
