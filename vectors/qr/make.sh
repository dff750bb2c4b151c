#!/bin/sh
# Makes the images of this folder again, and expect.txt with them.
# Needs Debian's qrencode and fonts-dejavu, and a Python with qrcode, segno and pillow: PYTHON=/path/to/python ./make.sh
set -eu
cd "$(dirname "$0")"
rm -f -- *.png *.jpg *.gif *.bmp *.webp *.tiff *.ico *.tga *.pbm *.pgm *.ppm *.pam expect.txt

aws='otpauth://totp/Amazon%20Web%20Services:mfauser@123456789012?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Amazon%20Web%20Services'

{
    echo "# file, tab, payloads in reading order (tab between them) or error:Variant"
    echo "# qrencode-*, aws-mfauser.png: $(qrencode --version 2>&1 | head -n 1), the number is pixels a module"
    "${PYTHON:-python3}" -c 'import importlib.metadata as m; print("# python-*: Python qrcode", m.version("qrcode") + ", segno", m.version("segno"), "and pillow", m.version("pillow"), "- the number is pixels a module")'
    echo "# broken-*: cut or written by make.sh"
} > expect.txt

line() { printf '%s\t%s\n' "$1" "$2" >> expect.txt; }

qrencode -o aws-mfauser.png "$aws"
line aws-mfauser.png "$aws"
for px in 3 4 6 8 12; do
    qrencode -s "$px" -l M -o "qrencode-$px.png" "$aws"
    line "qrencode-$px.png" "$aws"
done
qrencode -t PNG32 -s 5 --background=00000000 -o qrencode-transparent.png "$aws"
line qrencode-transparent.png "$aws"
qrencode -s 5 --foreground=ffffff --background=121418 -o qrencode-dark.png "$aws"
line qrencode-dark.png "$aws"
qrencode -s 4 -m 1 -l H -o qrencode-narrow.png "$aws"
line qrencode-narrow.png "$aws"
qrencode -s 4 -o qrencode-web-page.png 'https://example.com'
line qrencode-web-page.png 'https://example.com'

"${PYTHON:-python3}" make.py >> expect.txt

head -c 200 aws-mfauser.png > broken-truncated.png
line broken-truncated.png error:ImageBroken
{ printf '\211PNG\r\n\032\n'; echo "$aws"; } > broken-posing.png
line broken-posing.png error:ImageBroken
echo "$aws" > broken-text.png
line broken-text.png error:Unrecognized
printf 'P5 50000 50000 255\n' > broken-absurd.pgm
line broken-absurd.pgm error:ImageTooLarge
