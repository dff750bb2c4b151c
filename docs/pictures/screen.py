"""A terminal's screen as SVG: reads what `tmux capture-pane -ep` writes from stdin.

    tmux capture-pane -ep | python3 docs/pictures/screen.py COLUMNS ROWS TITLE > FILE.svg

Every run of cells has its place and its width, so the picture is the same with whatever monospace font there is; bars are
drawn as rectangles.
"""

import re
import sys
import unicodedata
from html import escape

CELL, LINE, EDGE, SIZE = 8.4, 18, 12, 14
BACKGROUND, FOREGROUND = "#14181f", "#d5dbe3"
COLOURS = {0: "#3b4252", 1: "#e06c75", 2: "#98c379", 3: "#f2c14e", 4: "#61afef", 5: "#d79be8", 6: "#5ccfe6", 7: "#d5dbe3"}
SHARE = {"█": 1.0, "░": 0.25}


def width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Style:
    def __init__(self):
        self.colour, self.bold, self.dim = None, False, False

    def take(self, numbers):
        numbers = iter([int(number or 0) for number in numbers])
        for number in numbers:
            if number == 0:
                self.__init__()
            elif number == 1:
                self.bold = True
            elif number == 2:
                self.dim = True
            elif number == 22:
                self.bold = self.dim = False
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self.colour = number % 10
            elif number == 38:
                next(numbers, None)
                self.colour = next(numbers, 7) % 8
            elif number == 39:
                self.colour = None

    def attributes(self):
        fill = COLOURS.get(self.colour, FOREGROUND)
        return f'fill="{fill}"' + (' font-weight="bold"' if self.bold else "") + (' opacity="0.6"' if self.dim else "")


def drawn(line, y):
    """The SVG of a line: words with their places."""
    style, x = Style(), 0
    for part in re.split(r"(\x1b\[[0-9;:]*m)", line):
        if code := re.fullmatch(r"\x1b\[([0-9;:]*)m", part):
            style.take(re.split("[;:]", code[1]))
            continue
        for run in re.findall(r"[█░]+|[^\s█░]+(?: [^\s█░]+)*|\s+", re.sub(r"\x1b[()].|[\x0e\x0f]", "", part)):
            cells = sum(map(width, run))
            left, wide = EDGE + x * CELL, cells * CELL
            if run[0] in SHARE:
                top, share = EDGE + y * LINE + 3, SHARE[run[0]]
                fill = COLOURS.get(style.colour, FOREGROUND)
                yield f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{LINE - 6}" fill="{fill}" opacity="{share}"/>'
            elif run.strip():
                base = EDGE + y * LINE + LINE - 5
                length = f'textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs"'
                yield f'<text x="{left:.1f}" y="{base}" {length} {style.attributes()}>{escape(run)}</text>'
            x += cells


def main():
    columns, rows, title = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    lines = sys.stdin.read().split("\n")[:rows]
    wide, high = columns * CELL + 2 * EDGE, rows * LINE + 2 * EDGE
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" width="{wide:.0f}" role="img">')
    print(f"<title>{escape(title)}</title>")
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>')
    print(f'<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}" xml:space="preserve">')
    for y, line in enumerate(lines):
        for element in drawn(line, y):
            print(element)
    print("</g>\n</svg>")


main()
