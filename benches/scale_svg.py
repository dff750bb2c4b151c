"""Draws figures of benches/scale.py as SVG: a line a command, both axes logarithmic, light and dark."""

import math
from html import escape

WIDTH, HEIGHT = 900, 520
LEFT, RIGHT, TOP, BOTTOM = 96, 308, 62, 92
COLOURS = [
    ("#0b62c4", "#6cb6ff"), ("#0f766e", "#4fd1c5"), ("#15803d", "#7ee08a"), ("#c2410c", "#ff9a62"),
    ("#a21caf", "#e79bf5"), ("#8a5a00", "#f2c14e"), ("#b91c3c", "#ff8fa3"),
]
STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 14px; fill: #24292f }
.page { fill: #ffffff } .grid { stroke: #d5dae0 } .axis { stroke: #6b7480 } .faint, .small { fill: #57606a }
.title { font-size: 18px; font-weight: 600 } .small { font-size: 12px }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round } .lead { fill: none; stroke-width: 1; opacity: .55 }
.dot { stroke: #ffffff; stroke-width: 1.5 }
"""
DARK = """
text { fill: #e6edf3 } .page { fill: #14181f } .grid { stroke: #2b323c } .axis { stroke: #8b949e }
.faint, .small { fill: #9aa4af } .dot { stroke: #14181f }
"""


def style():
    """Colours of every line, on a light and on a dark page."""
    colours = [
        "".join(f".c{one} {{ stroke: {pair[dark]} }} .f{one} {{ fill: {pair[dark]} }}\n" for one, pair in enumerate(COLOURS))
        for dark in (0, 1)
    ]
    return f"<style>{STYLE}{colours[0]}@media (prefers-color-scheme: dark) {{{DARK}{colours[1]}}}</style>"


def duration(milliseconds):
    value, unit = (milliseconds / 1000, "s") if milliseconds >= 1_000 else (milliseconds, "ms")
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.2g} {unit}"


def marks(low, high):
    """Round values that enclose both, and those between them: 1, 2 and 5 of every power of ten."""
    steps = [digit * 10.0**power for power in range(-3, 8) for digit in (1, 2, 5)]
    first = max(step for step in steps if step <= low)
    last = min(step for step in steps if step >= high)
    inside = [step for step in steps if first <= step <= last]
    if len(inside) > 10:
        inside = [step for step in inside if math.log10(step) % 1 < 1e-9 or step in (first, last)]
    return inside


def apart(wanted, least, low, high):
    """Places as near to the wanted ones as they can be, in their order, with at least this much between them."""
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    blocks = []
    for number in order:
        blocks.append(([number], wanted[number]))
        while len(blocks) > 1:
            (above, first), (below, second) = blocks[-2:]
            if second - first >= (len(above) + len(below)) / 2 * least:
                break
            together = above + below
            middle = sum(wanted[one] for one in together) / len(together)
            blocks[-2:] = [(together, middle)]
    places = {}
    for members, middle in blocks:
        half = (len(members) - 1) / 2 * least
        middle = min(max(middle, low + half), high - half)
        for position, number in enumerate(members):
            places[number] = middle - half + position * least
    return [places[number] for number in range(len(wanted))]


def scale(low, high, begin, end):
    """From values to places, by their logarithms."""
    return lambda value: begin + (math.log(value) - math.log(low)) / (math.log(high) - math.log(low)) * (end - begin)


def text(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def rule(kind, x1, y1, x2, y2):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def axes(x, y, sizes, values):
    """The grid, with what is at its lines."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value in values:
        yield rule("grid", LEFT, y(value), right, y(value))
        yield text(LEFT - 10, y(value) + 5, duration(value), 'text-anchor="end" class="faint"')
    for size in sizes:
        yield rule("grid", x(size), TOP, x(size), bottom)
        yield text(x(size), bottom + 22, f"{size:,}", 'text-anchor="middle" class="faint"')
    yield rule("axis", LEFT, bottom, right, bottom)
    yield rule("axis", LEFT, TOP, LEFT, bottom)
    yield text((LEFT + right) / 2, bottom + 46, "devices", 'text-anchor="middle"')
    yield text(28, (TOP + bottom) / 2, "time", f'text-anchor="middle" transform="rotate(-90 28 {(TOP + bottom) / 2:.1f})"')


def picture(title, what, lines, machine):
    """The SVG: `lines` has for every command its points, devices and milliseconds; `what` was measured."""
    lines = {command: points for command, points in lines.items() if points}
    sizes = sorted({size for points in lines.values() for size, _ in points})
    every = [value for points in lines.values() for _, value in points]
    values = marks(min(every), max(every))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    x, y = scale(sizes[0], sizes[-1], LEFT, right), scale(values[0], values[-1], bottom, TOP)
    heading = f"Time of a command by the number of devices: {title}"
    told = "; ".join(f"{command}: {duration(points[0][1])} to {duration(points[-1][1])}" for command, points in lines.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img"',
        'aria-labelledby="title desc">',
        f'<title id="title">{escape(heading)}</title>',
        f'<desc id="desc">From {sizes[0]:,} to {sizes[-1]:,} devices, both axes logarithmic. {escape(told)}.</desc>',
        style(),
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        text(24, 36, heading, 'class="title"'),
        *axes(x, y, sizes, values),
    ]
    ends = [y(points[-1][1]) for points in lines.values()]
    for number, (points, end, place) in enumerate(zip(lines.values(), ends, apart(ends, 20, TOP, bottom))):
        places = [(x(size), y(value)) for size, value in points]
        drawn = " ".join(f"{one:.1f},{other:.1f}" for one, other in places)
        parts.append(f'<polyline class="line c{number}" points="{drawn}"/>')
        parts += [f'<circle class="dot f{number}" cx="{one:.1f}" cy="{other:.1f}" r="4.5"/>' for one, other in places]
        lead = f"{places[-1][0] + 7:.1f},{end:.1f} {right + 22},{place:.1f} {right + 28},{place:.1f}"
        parts.append(f'<polyline class="lead c{number}" points="{lead}"/>')
    for number, (command, place) in enumerate(zip(lines, apart(ends, 20, TOP, bottom))):
        parts.append(text(right + 33, place + 5, command, f'class="f{number}"'))
        size, value = lines[command][-1]
        # A line that ends early says where.
        figure = duration(value) + (f" at {size:,}" if size < sizes[-1] else "")
        parts.append(text(WIDTH - 20, place + 5, figure, f'text-anchor="end" class="f{number}"'))
    caption = (f"Whole processes, medians of {what}. {machine['version']}, {machine['model']}, {machine['cores']} cores, "
               f"Linux {machine['kernel']}, {machine['date']}")
    parts += [text(24, HEIGHT - 16, caption, 'class="small"'), "</svg>"]
    return "\n".join(parts) + "\n"
