"""Plots as SVG: of each line of a table a dot for the median between the least and the greatest figure.

The axis is logarithmic, since the figures of a table differ a thousandfold. The picture brings its own ground, light
or dark as the reader has it.
"""

import math
import statistics
from xml.sax.saxutils import escape

from row import BEST

WIDTH, LEFT, RIGHT, TOP, ROW, FOOT = 860, 300, 70, 58, 30, 58
STYLE = """
  svg { font-family: system-ui, 'DejaVu Sans', sans-serif; font-size: 14px; }
  .ground { fill: #ffffff; } text { fill: #24292f; } .quiet { fill: #57606a; font-size: 12.5px; }
  .title { font-size: 16px; font-weight: 600; } .grid { stroke: #d8dee4; } .axis { stroke: #8c959f; }
  .other { fill: #8c959f; stroke: #8c959f; } .quire { fill: #0969da; stroke: #0969da; }
  .goal { fill: none; stroke: #bc4c00; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } text { fill: #e6edf3; } .quiet { fill: #9198a1; }
    .grid { stroke: #2a313c; } .axis { stroke: #656c76; }
    .other { fill: #9198a1; stroke: #9198a1; } .quire { fill: #58a6ff; stroke: #58a6ff; }
    .goal { stroke: #f0883e; }
  }"""


def _short(value):
    """1,200,000 as 1.2 M."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _ticks(low, high):
    """Powers of ten between, and where these are few, twice and five times as much."""
    powers = [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    steps = (1,) if high / low > 3000 else (1, 2, 5)
    return [power * step for power in powers for step in steps if low <= power * step <= high]


def _goal(result, medians):
    """(where the goal of a line is, on the axis; whether it is a least one) or nothing."""
    words = result["goal"].split()
    if not words:
        return None
    limit = float(words[2])
    if result["goal_of"]:
        limit *= medians[result["goal_of"]]
    return limit, words[1] == "least"


def svg(title, unit, results):
    """The picture of one quantity of one table."""
    medians = {result["line"]: statistics.median(result["values"]) for result in results}
    medians.setdefault(BEST, max(medians.values()))
    goals = {result["line"]: _goal(result, medians) for result in results}
    figures = [value for result in results for value in result["values"]] + [goal[0] for goal in goals.values() if goal]
    low, high = min(figures) / 1.6, max(figures) * 1.6
    height = TOP + ROW * len(results) + FOOT

    def at(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / low) / math.log(high / low)

    bottom = TOP + ROW * len(results)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
             f'height="{height}" role="img" aria-label="{escape(title)}">', f"<style>{STYLE}\n</style>",
             f'<rect class="ground" width="{WIDTH}" height="{height}" rx="8"/>',
             f'<text class="title" x="20" y="32">{escape(title)}</text>']
    for value in _ticks(low, high):
        parts += [f'<line class="grid" x1="{at(value):.1f}" x2="{at(value):.1f}" y1="{TOP}" y2="{bottom}"/>',
                  f'<text class="quiet" x="{at(value):.1f}" y="{bottom + 18}" text-anchor="middle">'
                  f'{_short(value)}</text>']
    parts += [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>',
              f'<text class="quiet" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 40}" text-anchor="middle">'
              f'{escape(unit)}, logarithmic: median, least and greatest'
              f'{"; the mark is the goal" if any(goals.values()) else ""}</text>']
    compared = any(result["line"].startswith("Quire") for result in results)
    for number, result in enumerate(results):
        y, name = TOP + ROW * (number + 0.5), result["line"]
        kind = "other" if compared and not name.startswith("Quire") else "quire"
        least, most, middle = min(result["values"]), max(result["values"]), medians[name]
        parts += [f'<text x="{LEFT - 14}" y="{y + 5}" text-anchor="end">{escape(name)}</text>',
                  f'<line class="{kind}" stroke-width="3" stroke-linecap="round" x1="{at(least):.1f}" '
                  f'x2="{at(most):.1f}" y1="{y}" y2="{y}"/>',
                  f'<circle class="{kind}" cx="{at(middle):.1f}" cy="{y}" r="5.5"/>']
        x, anchor = at(most) + 13, "start"
        if goals[name]:
            mark, opening = at(goals[name][0]), 5 if goals[name][1] else -5
            parts.append(f'<path class="goal" d="M{mark + opening:.1f} {y - 10}H{mark:.1f}V{y + 10}h{opening}"/>')
            if x - 8 < mark < x + 50:  # the figure would stand upon the mark
                x, anchor = at(least) - 13, "end"
        parts.append(f'<text class="quiet" x="{x:.1f}" y="{y + 4.5}" text-anchor="{anchor}">{_short(middle)}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"
