"""The figures of rows as Markdown, and their keeping: LAST.json, LAST.md and the plots."""

import json
import os
import platform
import statistics
import time

import plot

INTRODUCTION = """# The last run of tests/benchmarks/run

Median, least and greatest of the rounds. All lines of a table were measured in turn, round by round, with the same job
server, load and machine; a ratio is the median of the rounds' own ratios. The record is on (SQLite, WAL, synchronous
NORMAL) and every subset has a process of its own, where nothing else is said. `floor` is a bare libgearman worker that
runs and records nothing. The packaged workers have two processes each.
"""
_VERDICTS = {True: "met", False: "**missed**", None: ""}


def heading(name, text, seconds, runs):
    """What an entry of LAST.json says beside the results."""
    return {"row": name, "text": text, "command": f"tests/benchmarks/run --only {name} --seconds {seconds:g} --runs {runs}",
            "date": time.strftime("%Y-%m-%d"), "processors": os.cpu_count(), "kernel": platform.release(),
            "load_average": round(os.getloadavg()[0], 1)}


def _number(value, digits):
    return f"{value:,.{digits}f}"


def _table(results):
    lines = ["| | median | min | max | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for result in results:
        values, digits = result["values"], result["digits"]
        middle, least, most = (_number(each, digits) for each in (statistics.median(values), min(values), max(values)))
        ratio = "" if result["ratio"] is None else f"{result['ratio']:.3f}"
        lines.append(f"| {result['line']} | {middle} | {least} | {most} | {ratio} | {result['goal']} |"
                     f" {_VERDICTS[result['met']]} |")
    return "\n".join(lines)


def _groups(entry):
    """{(table, quantity, unit): its results}"""
    groups = {}
    for result in entry["results"]:
        groups.setdefault((result["table"], result["quantity"], result["unit"]), []).append(result)
    return groups


def markdown(entries):
    """The entries of LAST.json, each with its command and its tables."""
    parts = []
    for entry in entries.values():
        parts.append(f"## {entry['text']}\n\n`{entry['command']}`, {entry['date']}, {entry['processors']} processors, "
                     f"Linux {entry['kernel']}, load average beforehand {entry['load_average']}")
        for (title, quantity, unit), results in _groups(entry).items():
            base = results[0]["base"]
            parts.append(f"{title}: {quantity} {unit}{f'; ratio to {base}' if base else ''}\n\n{_table(results)}")
    return "\n\n".join(parts) + "\n"


def goals(entries):
    """A table of all goals: what they are about, the figure, whether they are met."""
    lines = ["| goal | figure | |", "|---|---|---|"]
    for result in (each for entry in entries.values() for each in entry["results"] if each["goal"]):
        if result["goal_of"]:
            figure = f"{result['ratio']:.3f}"
        else:
            figure = _number(statistics.median(result["values"]), result["digits"])
        lines.append(f"| {result['table']}: {result['line']}, {result['quantity']} {result['unit']}: {result['goal']} "
                     f"| {figure} | {_VERDICTS[result['met']]} |")
    return "\n".join(lines)


def pictures(entries):
    """{file name: plot} of the tables that have one."""
    return {f"{results[0]['plot']}.svg": plot.svg(title, f"{quantity} {unit}", results)
            for entry in entries.values() for (title, quantity, unit), results in _groups(entry).items()
            if results[0]["plot"]}


def write(folder, order, measured):
    """Keeps the entries, beside those of other rows that were kept before."""
    path = os.path.join(folder, "LAST.json")
    kept = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    kept.update(measured)
    kept = {name: kept[name] for name in order if name in kept}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1)
        file.write("\n")
    with open(os.path.join(folder, "LAST.md"), "w", encoding="utf-8") as file:
        file.write(f"{INTRODUCTION}\n{goals(kept)}\n\n{markdown(kept)}")
    for name, picture in pictures(kept).items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(picture)
