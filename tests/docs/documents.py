"""Reads the project's Markdown pages: which there are, their code blocks, their links and their anchors."""
import re
from pathlib import Path

# Built, downloaded or hidden: not the project's own text.
SKIPPED = {"build", "node_modules", ".git", ".cache"}

FENCE = re.compile(r"^( *)(```+|~~~+)(.*)$")


def pages(root):
    """Every Markdown file of the source tree."""
    root = Path(root)
    return sorted(path for path in root.rglob("*.md") if not SKIPPED & set(path.relative_to(root).parts))


class Block:
    """A fenced code block: ```language name."""

    def __init__(self, info, line):
        self.language, _, self.name = info.strip().partition(" ")
        self.name = self.name.strip()
        self.line = line
        self.text = ""


def split(text):
    """(the lines outside code blocks, with their numbers; the blocks)."""
    prose, blocks, fence = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if fence is None and mark:
            fence = mark.group(2)
            blocks.append(Block(mark.group(3), number))
        elif fence is not None and line.strip() == fence:
            fence = None
        elif fence is not None:
            blocks[-1].text += line + "\n"
        else:
            prose.append((number, line))
    return prose, blocks


def blocks(path):
    return split(Path(path).read_text(encoding="utf-8"))[1]


def block(path, name):
    """The text of the one block of that name. A test that no longer finds its block must fail, not pass."""
    found = [each for each in blocks(path) if each.name == name]
    if len(found) != 1:
        raise LookupError(f"{path} has {len(found)} code blocks named {name!r}, not one")
    return found[0].text


def replaced(text, changes):
    """The text with each old string replaced by the new one. Each must be there: what a test changes stays visible."""
    for old, new in changes.items():
        if old not in text:
            raise LookupError(f"{old!r} is not in the block: the test would run something else than the page shows")
        text = text.replace(old, new)
    return text


# ---- Links ----

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"(`+)(.+?)\1")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")


def links(text):
    """(line number, target) of each inline link and image outside code."""
    for number, line in split(text)[0]:
        for target in LINK.findall(CODE.sub("`code`", line)):
            yield number, target


def slug(heading):
    """The anchor that GitHub gives a heading: lower case, punctuation gone, blanks as hyphens."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def anchors(text):
    found = set()
    for _, line in split(text)[0]:
        mark = HEADING.match(line)
        if not mark:
            continue
        base = slug(mark.group(2))
        name, count = base, 0
        while name in found:
            count += 1
            name = f"{base}-{count}"
        found.add(name)
    return found
