"""From runs to medians, verdicts and the table."""

import statistics

from suite.scenarios import CONNECTS, CPU, RATE, UNITS


def summary(scenario, result):
    if "error" in result:
        return result["error"]
    text = ", ".join(f"{label(metric)} {shown(metric, result[metric])}" for metric in scenario.metrics())
    return text if result["clean"] else text + "  NOT CLEAN: " + findings(result)


def findings(result):
    keys = ["lost", "duplicated", "out_of_order", "order_mismatches", "unsent", "malformed", "strayed",
            "connect_failures", "connections_lost", "first_failure"]
    return ", ".join(f"{key} {result[key]}" for key in keys if result.get(key))


def label(metric):
    return UNITS[metric][0]


def shown(metric, value):
    _, unit, factor, digits = UNITS[metric]
    return f"{value * factor:,.{digits}f} {unit}".strip()


def median(runs, metric):
    values = [run[metric] for run in runs or [] if "error" not in run]
    return statistics.median(values) if values else None


def verdict(bar, medians, scenario):
    """What is compared, and whether the bar is met; None if it cannot be judged."""
    metric, sense, factor, reference = bar
    value = medians.get((scenario.name, scenario.subject, metric))
    if reference in scenario.references():
        against = medians.get((reference, scenario.subject, metric))
    elif reference:
        against = medians.get((scenario.name, reference, metric))
    else:
        against = 1
    if value is None or not against:
        return None
    ratio = value / against
    is_met = ratio <= factor if sense == "at most" else ratio >= factor
    wanted = f"{sense} {factor:g}x {reference}" if reference else f"{sense} {shown(metric, factor)}"
    got = f"{ratio:.2f}x" if reference else shown(metric, value)
    return is_met, f"{wanted}: {got}, {'met' if is_met else 'NOT MET'}"


def table(scenarios, names, medians):
    """Markdown: a row for each scenario and metric, a column for each server, in brackets the ratio to floor."""
    rows = [["what"] + names + ["bar (relayd)"]]
    all_met = True
    for scenario in scenarios:
        for metric in scenario.metrics():
            cells = []
            floor = medians.get((scenario.name, "floor", metric))
            for name in names:
                value = medians.get((scenario.name, name, metric))
                text = "" if value is None else shown(metric, value)
                if value is not None and floor and name != "floor" and metric in (CPU, RATE, CONNECTS):
                    text += f" ({value / floor:.2f}x)"
                cells.append(text)
            verdicts = [verdict(bar, medians, scenario) for bar in scenario.bars if bar[0] == metric and bar[1]]
            verdicts = [one for one in verdicts if one]
            all_met = all_met and all(is_met for is_met, _ in verdicts)
            bars = "; ".join(text for _, text in verdicts)
            rows.append([f"{scenario.title}: {label(metric)}"] + cells + [bars])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines), all_met
