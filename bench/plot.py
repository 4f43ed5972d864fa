"""Plots as SVG, written by hand: bars on a linear or logarithmic axis, and lines.

Each plot has a white ground of its own, so that it can be read on dark pages too.
"""

import dataclasses
import math
from xml.sax.saxutils import escape

INK, FAINT, LINE = "#1f2328", "#57606a", "#d0d7de"
COLOURS = {"dray": "#0550ae", "dlt": "#d4711d", "duckdb": "#8c959f"}
NAMES = {"dray": "dray", "dlt": "dlt, by Parquet files", "duckdb": "DuckDB's read_json, local files"}


class Svg:
    def __init__(self, width, height, label):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(label)}">',
            f'  <rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>',
        ]

    def text(self, x, y, text, anchor="start", fill=INK, weight="400", size=13):
        self.parts.append(
            f'  <text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}"'
            f' font-size="{size}">{escape(text)}</text>'
        )

    def bar(self, x, y, width, height, fill):
        self.parts.append(
            f'  <rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}" rx="1.5" fill="{fill}"/>'
        )

    def line(self, points, stroke, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'  <polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{width}"/>')

    def dot(self, x, y, fill):
        self.parts.append(f'  <circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{fill}"/>')

    def legend(self, x, y, names):
        for name in names:
            self.bar(x, y - 10, 12, 12, COLOURS[name])
            self.text(x + 18, y, NAMES[name])
            x += 48 + 7 * len(NAMES[name])

    def done(self):
        return "\n".join([*self.parts, "</svg>", ""])


@dataclasses.dataclass
class Axis:
    """From a value to a place between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value):
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        return [value for value in stepped(self.high) if value <= self.high]


def stepped(high):
    """Multiples of 1, 2 or 5 times a power of ten, about five up to `high`."""
    rough = high / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [index * step for index in range(int(high / step) + 2)]


def number(value):
    """A value with three digits or so, or whole."""
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def short(value):
    """1,000,000 as 1M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def bars(title, unit, groups, logarithmic):
    """Horizontal bars; `groups` is a list of (label, {program: value})."""
    names = [name for name in COLOURS if any(name in values for _, values in groups)]
    thick, gap, top, left, width = 14, 16, 78, 300, 900
    height = top + sum(len(values) * (thick + 2) + gap for _, values in groups) + 34
    largest = max(value for _, values in groups for value in values.values())
    smallest = min(value for _, values in groups for value in values.values())
    if logarithmic:
        # Half of the smallest, so that its bar has a length too.
        low, high = 10 ** math.floor(math.log10(smallest / 2)), largest * 1.1
    else:
        low, high = 0, largest * 1.05
    axis = Axis(low, high, left, width - 90, logarithmic)
    svg = Svg(width, height, title)
    svg.text(20, 28, title, weight="600", size=15)
    svg.legend(20, 52, names)
    for tick in axis.ticks():
        x = axis.at(tick)
        svg.line([(x, top - 10), (x, height - 34)], LINE)
        svg.text(x, height - 16, f"{number(tick)} {unit}", "middle", FAINT, size=12)
    y = top
    for label, values in groups:
        svg.text(left - 12, y + len(values) * (thick + 2) / 2 + 4, label, "end")
        for name in names:
            if name not in values:
                continue
            svg.bar(left, y, axis.at(values[name]) - left, thick, COLOURS[name])
            svg.text(axis.at(values[name]) + 6, y + 11, f"{number(values[name])} {unit}", fill=FAINT, size=12)
            y += thick + 2
        y += gap
    return svg.done()


def lines(title, panels):
    """Lines beside each other; a panel is (title, unit, {program: [(rows, value)]}, logarithmic)."""
    width, height, top, bottom = 900, 360, 100, 46
    svg = Svg(width, height, title)
    svg.text(20, 28, title, weight="600", size=15)
    svg.legend(20, 52, [name for name in COLOURS if any(name in series for _, _, series, _ in panels)])
    room = width / len(panels)
    for index, (label, unit, series, logarithmic) in enumerate(panels):
        panel(svg, (index * room + 70, (index + 1) * room - 30, height - bottom, top), label, unit, series, logarithmic)
    return svg.done()


def panel(svg, frame, label, unit, series, logarithmic):
    left, right, bottom, top = frame
    points = [point for line in series.values() for point in line]
    # The first and the last point have room for their numbers beside the axis.
    across = Axis(min(x for x, _ in points), max(x for x, _ in points), left + 24, right - 14, True)
    largest = max(y for _, y in points) * 1.1
    low = 10 ** math.floor(math.log10(min(y for _, y in points) / 2)) if logarithmic else 0
    up = Axis(low, largest, bottom, top, logarithmic)
    svg.text(left - 50, top - 16, f"{label}, {unit}", weight="600")
    for tick in up.ticks():
        svg.line([(left, up.at(tick)), (right, up.at(tick))], LINE)
        svg.text(left - 8, up.at(tick) + 4, number(tick), "end", FAINT, size=12)
    for x in sorted({x for x, _ in points}):
        svg.line([(across.at(x), bottom), (across.at(x), bottom + 4)], FAINT)
        svg.text(across.at(x), bottom + 20, short(x), "middle", FAINT, size=12)
    svg.text((left + right) / 2, bottom + 38, "rows", "middle", FAINT, size=12)
    for name, line in series.items():
        places = [(across.at(x), up.at(y)) for x, y in line]
        svg.line(places, COLOURS[name], 2)
        for (x, y), (_, value) in zip(places, line):
            svg.dot(x, y, COLOURS[name])
            # The numbers of two lines would cover each other on the same side.
            svg.text(x, y + 18 if name == "dray" else y - 9, number(value), "middle", FAINT, size=11)
