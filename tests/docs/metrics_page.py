#!/usr/bin/env python3
"""docs/metrics.md is what a running relayd says of its metrics: names, types, labels and help, in the same order.

Promise: no metric is missing from the reference, and none is described that does not exist.

  RELAYD=… metrics_page.py                         compares
  RELAYD=… RELAY_TEST_UPDATE=1 metrics_page.py     writes the page
"""
import os
import re
import sys
import urllib.error
import urllib.request

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TESTS, "support"))
from relayd_process import Relayd  # noqa: E402

PAGE = os.path.join(TESTS, "..", "docs", "metrics.md")

INTRODUCTION = """# Metrics

relayd serves these metrics for Prometheus at `/metrics` on the ops port (`metrics.address`, `metrics.port`). This page is generated from
a running relayd, and a test compares the two. [deploy.md](deploy.md#prometheus) has a scrape configuration and alert rules.

All time series of a metric exist from the start, with the value 0, so that `rate()` sees the first event. The only exception is
`relay_http_requests_total`, of which a series appears with the first request of its kind.

| metric | type | labels | meaning |
|---|---|---|---|
"""

# Their values are versions, or too many to list.
OPEN_LABELS = {"version", "qt", "method", "code", "le", "worker"}


def families(text):
    """(name, type, help, {label: values}) in the order of the page."""
    found = {}
    for line in text.splitlines():
        if mark := re.match(r"# HELP (\S+) (.*)", line):
            found[mark.group(1)] = [None, mark.group(2), {}]
        elif mark := re.match(r"# TYPE (\S+) (\S+)", line):
            found[mark.group(1)][0] = mark.group(2)
        elif mark := re.match(r"([^\s{]+)(?:\{(.*)\})? \S+$", line):
            name = mark.group(1)
            family = found.get(name) or found[re.sub(r"_(bucket|sum|count)$", "", name)]
            for label, value in re.findall(r'(\w+)="([^"]*)"', mark.group(2) or ""):
                family[2].setdefault(label, []).append(value)
    return [(name, *rest) for name, rest in found.items()]


def label_text(label, values):
    if label in OPEN_LABELS and label != "le":
        return f"`{label}`"
    if label == "le":
        return f"`le`: {values[0]} to {values[-2]}"
    return f"`{label}`: " + ", ".join(f"`{value}`" for value in dict.fromkeys(values))


def rendered(text):
    rows = [f"| `{name}` | {kind} | {'; '.join(label_text(*each) for each in labels.items())} | {meaning} |"
            for name, kind, meaning, labels in families(text)]
    return INTRODUCTION + "\n".join(rows) + "\n"


def scraped():
    with Relayd() as relay:
        try:  # a request, so that its metric is there
            urllib.request.urlopen(relay.url.replace("ws://", "http://"), timeout=10).close()
        except urllib.error.HTTPError as refused:
            refused.close()
        return relay.get("/metrics")[1]


if __name__ == "__main__":
    wanted = rendered(scraped())
    if os.environ.get("RELAY_TEST_UPDATE"):
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(wanted)
        sys.exit(0)
    with open(PAGE, encoding="utf-8") as file:
        current = file.read()
    if current != wanted:
        old, new = set(current.splitlines()), set(wanted.splitlines())
        print("docs/metrics.md is not what relayd says. Write it again with:\n"
              f"  RELAYD={os.environ['RELAYD']} RELAY_TEST_UPDATE=1 python3 tests/docs/metrics_page.py")
        print("\n".join(f"- {line}" for line in current.splitlines() if line not in new))
        print("\n".join(f"+ {line}" for line in wanted.splitlines() if line not in old))
        sys.exit(1)
    print("docs/metrics.md is what relayd says")
