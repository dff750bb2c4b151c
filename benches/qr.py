"""Times reading QR codes from pictures of a 4K screen beside zbarimg and zxing-cpp, and counts what each reads of a set.

    python3 benches/qr.py PROGRAM [FOLDER]

benches/qr starts it. PROGRAM is the `vmfa` to measure; FOLDER has a `manifest.jsonl` as `cargo bench --bench qr_devset` takes it. Makes its pictures
itself, the same each time: a page with a code and a page of twelve by Chromium, and pictures without a code. vmfa and zbarimg are
whole processes, by wall time and CPU time, in turns, medians of RUNS. For zxing-cpp the time is that of loading by Pillow and
`read_barcodes` in this process, so it starts no program. Ends with 1 where a bar is missed; needs an idle machine of two cores.

Needs Debian's zbar-tools, oathtool, chromium and fonts-dejavu; pillow, numpy, segno and zxing-cpp from PyPI.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, RUNS = 3840, 2160, 5
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
WORDS = "the account security credentials assign device console user policy role access key sign scan code let mut fn return match".split()
SECRET = "GEZDGNBVGY3TQOJQ" * 4
URI = f"otpauth://totp/Amazon%20Web%20Services:{{}}@123456789012?secret={SECRET}&issuer=Amazon%20Web%20Services"
dice, noise = random.Random(7), numpy.random.default_rng(7)
missed = []


def page(folder, name, codes):
    """A web page with this many codes in text, as Chromium shows it on a 4K screen."""
    images = ""
    for number in range(codes):
        segno.make(URI.format(f"user{number}"), error="m").save(folder / f"{number}.png", scale=2, border=4)
        images += f"<img src={number}.png style='margin:12px'>"
    text = lambda: "<p>" + " ".join(dice.choice(WORDS) for _ in range(dice.randrange(10, 60))) + "</p>"
    style = "font:14px sans-serif;margin:20px"
    html = f"<body style='{style}'><h2>Set up device</h2>{text()}{images}" + "".join(text() for _ in range(60))
    (folder / f"{name}.html").write_text(html)
    size = ["--window-size=1920,1080", "--force-device-scale-factor=2"]
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *size]
    path = folder / f"{name}.png"
    subprocess.run([*browser, f"--screenshot={path}", str(folder / f"{name}.html")], check=True, capture_output=True)
    return path


def text(page, ink, size):
    picture = Image.new("RGB", (WIDTH, HEIGHT), page)
    draw, font = ImageDraw.Draw(picture), ImageFont.truetype(FONT, size)
    for y in range(10, HEIGHT, size * 7 // 5):
        x, end = 10 + dice.choice([0, 80, 160, 240]), WIDTH * dice.uniform(0.3, 1)
        while x < end:
            word = dice.choice(WORDS)
            draw.text((x, y), word, font=font, fill=tuple(shade + dice.randrange(-40, 40) for shade in ink))
            x += int(font.getlength(word + " "))
    return picture


def photograph():
    spots = Image.fromarray(noise.integers(0, 255, (90, 160, 3), dtype=numpy.uint8))
    soft = numpy.array(spots.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), float)
    return Image.fromarray(numpy.clip(soft + noise.normal(0, 4, soft.shape), 0, 255).astype(numpy.uint8))


def finders():
    finder = numpy.full((27, 27), 255, numpy.uint8)
    finder[3:24, 3:24], finder[6:21, 6:21], finder[9:18, 9:18] = 0, 255, 0
    return Image.fromarray(numpy.tile(finder, (HEIGHT // 27 + 1, WIDTH // 27 + 1))[:HEIGHT, :WIDTH])


def largest_codes(folder):
    segno.make_qr("x" * 2000, version=40, error="l").save(folder / "v40.png", scale=5)
    picture, code = Image.new("L", (WIDTH, HEIGHT), 255), Image.open(folder / "v40.png").convert("L")
    picture.paste(code, (100, 100))
    picture.paste(code, (1200, 900))
    return picture


def timed(command):
    """Wall time, CPU time, stdout."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def zxing(path):
    begin = time.perf_counter()
    read = zxingcpp.read_barcodes(Image.open(path), formats=zxingcpp.BarcodeFormat.QRCode)
    return time.perf_counter() - begin, [code.text for code in read]


def compare(what, path, ours, peer, most=None, longest=None):
    times = [[], [], []]
    for run in range(RUNS + 1):
        both = timed(ours), timed(peer), (zxing(path)[0], 0)
        if run:
            for mine, (wall, cpu, *_) in zip(times, both):
                mine.append((wall, cpu))
    median = lambda number, kind: statistics.median(each[kind] for each in times[number])
    wall, cpu = median(0, 0), median(0, 1)
    ratio = wall / median(1, 0)
    bar = (f", at most {most:.2f}" if most else "") + (f", at most {longest} s" if longest else "")
    print(f"{what:22} vmfa {wall:.3f} s (CPU {cpu:.3f}), zbarimg {median(1, 0):.3f} s (CPU {median(1, 1):.3f}), "
          f"zxing-cpp {median(2, 0):.3f} s; ratio {ratio:.2f}{bar}", flush=True)
    if (most and ratio > most) or (longest and wall > longest):
        missed.append(what)


def read(command):
    """The URIs that a program prints."""
    lines = timed(command)[2].decode(errors="replace").splitlines()
    return [line for line in lines if line]


def count(folder):
    names, whole, sets = ("zbarimg", "zxing-cpp"), [0, 0], 0
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        image = json.loads(line)
        path, wanted = folder / image["path"], sorted(image["expect"])
        sets += 1
        try:
            found = [read(["zbarimg", "--raw", "-q", str(path)]), zxing(path)[1]]
        except OSError:
            found = [read(["zbarimg", "--raw", "-q", str(path)]), []]
        whole = [number + (sorted(set(texts)) == wanted) for number, texts in zip(whole, found)]
    print(f"read whole, of {sets}: " + ", ".join(f"{name} {number}" for name, number in zip(names, whole)))
    print("vmfa's own count: cargo bench --bench qr_devset -- " + str(folder))


program = str(Path(sys.argv[1]).resolve())
with tempfile.TemporaryDirectory() as place:
    place = Path(place)
    environment = {**os.environ, "VMFA_HOME": str(place / "home")}
    code, many = page(place, "code", 1), page(place, "many", 12)
    ours = lambda path: [program, "code", "--from", str(path)]
    peer = lambda path: ["zbarimg", "--raw", "-q", str(path)]
    pipe = ["sh", "-c", f"zbarimg --raw -q {code} | sed 's/.*secret=//; s/&.*//' | oathtool --totp -b -"]
    assert timed(ours(code))[2] == timed(pipe)[2] != b"", "they disagree (or a step ended just now)"
    compare("4K page, one code", code, ours(code), pipe, most=1 / 3)
    listed = json.loads(timed([program, "scan", "--json", str(many)])[2])
    if json.dumps(listed).count("@123456789012") < 12:
        missed.append("twelve codes of a page")
    compare("4K page, twelve codes", many, [program, "scan", str(many)], peer(many))
    pictures = {
        "page": lambda: Image.open(page(place, "none", 0)),
        "editor": lambda: text((255, 255, 255), (50, 50, 60), 26),
        "dark terminal": lambda: text((12, 12, 12), (200, 200, 200), 28),
        "photograph": photograph,
        "random pixels": lambda: Image.fromarray(noise.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=numpy.uint8)),
        "plain": lambda: Image.new("RGB", (WIDTH, HEIGHT), (240, 240, 240)),
        "finder patterns": finders,
        "random blocks": lambda: Image.fromarray(
            numpy.kron(noise.integers(0, 2, (HEIGHT // 4, WIDTH // 4), dtype=numpy.uint8) * 255, numpy.ones((4, 4), numpy.uint8))),
        "codes of version 40": lambda: largest_codes(place),
    }
    for number, (what, make) in enumerate(pictures.items()):
        path = place / f"picture-{number}.png"
        make().save(path)
        # The last three are hostile: only bounded.
        compare(what, path, ours(path), peer(path), most=1.5 if number < 6 else None, longest=3.2)
    if len(sys.argv) > 2:
        count(Path(sys.argv[2]))
if missed:
    sys.exit("missed: " + ", ".join(missed))
