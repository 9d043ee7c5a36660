"""What a row is: lines that are measured in turn, round by round, and goals that their figures are held against."""

import dataclasses
import statistics
import sys

BEST = "the best of them"


@dataclasses.dataclass(frozen=True)
class Quantity:
    """What is measured: "tasks", in "per second". digits: behind the point."""
    name: str
    unit: str
    digits: int = 0
    more_is_better: bool = True


@dataclasses.dataclass(frozen=True)
class Goal:
    """At least, or at most, `limit` times the figure of the line `of` in the same round; without it `limit` itself."""
    limit: float
    at_least: bool = True
    of: str = ""

    def text(self):
        words = f"{'at least' if self.at_least else 'at most'} {self.limit:g}"
        return words if not self.of else f"{words} of {self.of}" if self.at_least else f"{words} times {self.of}"

    def is_met_by(self, figure):
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclasses.dataclass
class Line:
    """measure(): one figure for each quantity of the row. goals: by the quantity's name."""
    name: str
    measure: callable
    goals: dict = dataclasses.field(default_factory=dict)
    values: dict = dataclasses.field(default_factory=dict)  # by the quantity's name, a figure a round


@dataclasses.dataclass
class Table:
    """The lines of a row and what they are compared with: the line `base`, or BEST.

    plot: the name of the picture of its first quantity; none: no picture. warm: whether to run all lines beforehand.
    """
    title: str
    quantities: list
    lines: list
    base: str = ""
    plot: str = ""
    warm: bool = True
    rounds: int = 0  # instead of what was asked for

    def measure(self, bench, rounds):
        """Round by round, so that whatever else the machine does meets all lines alike; two short ones warm them."""
        seconds = bench.seconds
        bench.seconds = seconds / 10
        for line in self.lines * (2 if self.warm and seconds else 0):
            line.measure()
        bench.seconds = seconds
        for number in range(self.rounds or rounds):
            for line in self.lines:
                print(f"    round {number + 1}: {line.name}", end="", file=sys.stderr, flush=True)
                figures = line.measure()
                print("  ", *(f"{figure:,.3f}" for figure in figures), file=sys.stderr)
                for quantity, figure in zip(self.quantities, figures, strict=True):
                    line.values.setdefault(quantity.name, []).append(figure)

    def results(self):
        """What a report shows: plain values, a dictionary for each line and quantity."""
        return [{"table": self.title, "quantity": quantity.name, "unit": quantity.unit, "digits": quantity.digits,
                 "plot": self.plot if quantity is self.quantities[0] else "",
                 "line": line.name, "values": line.values[quantity.name], **self._judged(line, quantity)}
                for quantity in self.quantities for line in self.lines]

    def _judged(self, line, quantity):
        goal = line.goals.get(quantity.name)
        base = (goal.of if goal else "") or self.base
        ratio = self._ratio(line, quantity, base) if base else None
        if goal is None:
            return {"base": base, "ratio": ratio, "goal": "", "goal_of": "", "met": None}
        figure = ratio if goal.of else statistics.median(line.values[quantity.name])
        return {"base": base, "ratio": ratio, "goal": goal.text(), "goal_of": goal.of, "met": goal.is_met_by(figure)}

    def _ratio(self, line, quantity, base):
        """The median of the rounds' own ratios: a round's figures were taken within seconds of each other."""
        own = line.values[quantity.name]
        if base == BEST:
            medians = [statistics.median(each.values[quantity.name]) for each in self.lines]
            best = max(medians) if quantity.more_is_better else min(medians)
            return statistics.median(own) / best if best else None
        (other,) = (each.values[quantity.name] for each in self.lines if each.name == base)
        return statistics.median(mine / theirs for mine, theirs in zip(own, other, strict=True))
