#!/usr/bin/env python3
"""What users read is plain English: no phrase of the private dialect that the project once had.

Promise: a reader whose English is plain understands a sentence at the first reading. A check finds only the worst; the
rules are: the subject first, the usual word, one idea in a sentence.

  check_phrases.py ROOT          checks documents, manual pages, configuration, and the strings that programs show
  check_phrases.py --self-test   checks the check
"""
import re
import sys
import tempfile
from pathlib import Path

import documents

# What must not be there, what to write instead, and an example for the self-test.
PHRASES = [
    (r"parted\b", "separated", "segments parted by slashes"),
    (r"\bbut for\b", "except", "all but for one"),
    (r"\bnothing when\b", "returns nullopt if …; is omitted if …", "Nothing when it is none."),
    (r"\bat once\b", "immediately; at the same time", "heard by all at once"),
    (r"\banew\b", "again", "the relay began anew"),
    (r"\bmeanwhile\b(?! \()", "in the meantime; while …", "who comes meanwhile"),
    (r"\bin good order\b", "gracefully", "stop in good order"),
    (r"\btold so\b", "told about it", "the listener is told so"),
    (r"\bwho(?:so)?ever\b", "anyone who; a caller", "for whoever watches"),
    (r"\bthose (?:who|that are there)\b", "clients that …", "those who listen"),
    (r"\bwho (?:may|is there|comes|goes|stays|watches|listens|resumes|reconnects|asks|wants)\b",
     "name the actor: clients, a caller, the operator", "Who is there hears it"),
    (r"\bone behind (?:the other|another)\b", "one after the other", "sent one behind the other"),
    (r"\bbehind (?!(?:a|an|the|your|this|that|it|its|one|another|nginx|caddy|haproxy|proxies|your own)\b.*(?:prox|nginx|caddy|firewall|balancer))",
     "after (behind is for places and proxies)", "the place behind that message"),
    (r"\ba hole or a double\b|\bdoubled\b", "a gap or a duplicate; duplicated", "lost, doubled or out of order"),
    (r"\bhas no field\b", "is omitted", "What is unknown has no field."),
    (r"\bpass(?:es)? over\b", "ignore", "pass over such names"),
    (r"\btaken for dead\b", "considered dead", "the connection is taken for dead"),
    (r"\bone a core\b", "one per core", "0 starts one a core"),
    (r"\bgives? way\b|\bgives? away\b", "is closed for …; limits", "an idle one gives way to a newcomer"),
    (r"\b(?:is|are) none\b(?! of\b)|\bis no (?:web|json|channel|array|moment|single)", "is not a …", "what is no channel"),
    (r"\bis said by\b|\bis like is\b", "… set …", "how much is said by the rules"),
    (r"\bas may are there\b|\bthan it may\b|\bas it may\b", "the maximum is reached", "As many clients as may are there"),
    (r"\bjson in lines\b", "formatted JSON", "JSON in lines"),
    (r"\bso many seconds\b", "name the number", "spread over so many seconds"),
    (r"\bsends? away\b|\bsent away\b", "disconnect", "the clients are sent away"),
    (r"\bthe past\b", "the history; earlier messages", "what is asked of the past"),
    (r"\bis to be had\b", "is available", "what is to be had"),
    (r"\bcomplain(?:s|ed)? of\b", "refuse; report", "what is complained of"),
    (r"\b(?:himself|his|he)\b", "name the person, or they", "the operator and his browser"),
    (r"\bspells? out\b.*\bwhat\b", "explain", "spells out what there is"),
    (r"\btells? of\b|\btold of\b", "reports; tells about", "a client is told of a gap"),
    (r"\bwithout a word\b", "silently", "ignored without a word"),
    (r"\bis one of the two\b", "is 0 or 1", "a flag is one of the two"),
    (r"\bfor good\b", "permanently", "refused for good"),
    (r"\btakes? orders\b", "accepts commands", "the port takes orders"),
    (r"\bthat (?:nobody has|it has not)\b", "unknown; unsupported", "a path that nobody has"),
]

# Everything in them is for readers.
TEXTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "lib/README.md", "relay.yaml", "resources/*.in", "resources/*.desktop",
         "resources/web/*.html"]
# In these the string literals are.
PROGRAMS = ["app/*.cpp", "lib/base/*.cpp", "lib/config/*.cpp", "lib/hub/*.cpp", "lib/metrics/*.cpp", "lib/net/*.cpp",
            "lib/ops/*.cpp", "lib/wire/*.cpp", "gui/**/*.cpp", "resources/web/*.js"]

LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"' r"|'((?:[^'\\\n]|\\.)*)'" r"|`((?:[^`\\]|\\.)*)`")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TOKEN = re.compile(LITERAL.pattern + "|" + COMMENT.pattern, re.DOTALL)


def strings(source):
    """(line number, text) of each string literal; neighbours are joined, as the compiler joins them."""
    found, end = [], None
    for mark in TOKEN.finditer(source):
        if mark.group(0).startswith(("//", "/*")):
            continue
        text = next((group for group in mark.groups() if group is not None), "")
        between = None if end is None else source[end:mark.start()]
        if between is not None and not between.strip():
            found[-1][1] += text
        else:
            found.append([source.count("\n", 0, mark.start()) + 1, text])
        end = mark.end()
    return found


def paragraphs(text):
    """(line number of the first line, text): a phrase may be split between two lines."""
    found, begins = [], True
    for number, line in enumerate(text.splitlines(), 1):
        line = line.lstrip("# ").strip()
        if begins or line.startswith(("|", "- ", "```")):
            found.append([number, line])
        else:
            found[-1][1] += " " + line
        begins = not line
    return found


def problems(root):
    root = Path(root)
    found, files = [], 0
    for patterns, read in ((TEXTS, paragraphs), (PROGRAMS, strings)):
        for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
            files += 1
            for number, text in read(path.read_text(encoding="utf-8")):
                for phrase, better, _ in PHRASES:
                    if mark := re.search(phrase, text, re.IGNORECASE):
                        start = max(0, mark.start() - 40)
                        found.append(f"{path.relative_to(root)}:{number}: \"…{text[start:mark.end() + 30]}…\": "
                                     f"not \"{mark.group(0)}\", but: {better}")
    if not files:
        found.append("no files found")
    return found


def self_test():
    """Each phrase must be found, in a page and in a program; plain sentences must not be."""
    complaints = []
    for phrase, _, example in PHRASES:
        if not re.search(phrase, example, re.IGNORECASE):
            complaints.append(f"self-test: {phrase!r} does not find its example")
        halves = example.split(" ")
        split = " ".join(halves[:-1]) + "\n" + halves[-1]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "lib" / "hub").mkdir(parents=True)
            (root / "README.md").write_text(f"# Title\n\n{split}\n", encoding="utf-8")
            (root / "lib" / "hub" / "x.cpp").write_text(
                f'// {example}\nf("{halves[0]} "\n  "{" ".join(halves[1:])}"); /* {example} */\n', encoding="utf-8")
            places = {each.split(" ")[0] for each in problems(root)}
        for place in ("README.md:3:", "lib/hub/x.cpp:2:"):
            if place not in places:
                complaints.append(f"self-test: {phrase!r} is not found at {place}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "README.md").write_text(
            "Everyone connected to a URL receives every message sent to it, immediately and in the same order.\n"
            "A relay behind a proxy needs one setting. A client that reconnects is told about the gap.\n", encoding="utf-8")
        complaints += [f"self-test: {each}" for each in problems(folder)]
    return complaints


if __name__ == "__main__":
    complaints = self_test() if sys.argv[1] == "--self-test" else problems(sys.argv[1])
    print("\n".join(complaints) or "plain English")
    sys.exit(1 if complaints else 0)
