#!/usr/bin/env python3
"""Every relative link of every Markdown page leads to a file of the source tree, and its anchor to a heading.

Promise: nobody who reads the documents ends on a page that is not there.

  check_links.py ROOT          checks the tree
  check_links.py --self-test   checks the check
"""
import sys
import tempfile
import urllib.parse
from pathlib import Path

import documents


def problems(root):
    root = Path(root).resolve()
    found = []
    texts = {path: path.read_text(encoding="utf-8") for path in documents.pages(root)}
    for path, text in texts.items():
        for line, target in documents.links(text):
            place = f"{path.relative_to(root)}:{line}"
            if urllib.parse.urlsplit(target).scheme:
                continue  # another site: not checked without the network
            name, _, anchor = target.partition("#")
            linked = (path.parent / urllib.parse.unquote(name)).resolve() if name else path
            if not linked.is_relative_to(root):
                found.append(f"{place}: {target} leads out of the source tree")
            elif not linked.exists():
                found.append(f"{place}: {target} does not exist")
            elif anchor and linked in texts and anchor not in documents.anchors(texts[linked]):
                found.append(f"{place}: {target}: no heading has this anchor")
    if not texts:
        found.append("no pages found")
    return found


def self_test():
    """The check must find each kind of broken link, or its silence means nothing."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "docs").mkdir()
        (root / "good.md").write_text("# A `b-c` (d)\n[here](#a-b-c-d) [file](docs/x.md#two-1) [dir](docs)\n"
                                      "`[no](link.md)` [site](https://example.com/none)\n"
                                      "```\n[no](link.md)\n# none\n```\n![image](docs/x.md)\n", encoding="utf-8")
        (root / "docs" / "x.md").write_text("# Two\n## Two\n[up](../good.md)\n", encoding="utf-8")
        (root / "bad.md").write_text("[a](none.md)\n[b](#none)\n[c](docs/x.md#none)\n[d](../../x.md)\n",
                                     encoding="utf-8")
        found = problems(root)
    expected = [f"bad.md:{line}:" for line in (1, 2, 3, 4)]
    complaints = [f"self-test: nothing found at {place}" for place in expected
                  if not any(each.startswith(place) for each in found)]
    wrong = [each for each in found if not any(each.startswith(place) for place in expected)]
    return complaints + [f"self-test: {each}" for each in wrong]


if __name__ == "__main__":
    complaints = self_test() if sys.argv[1] == "--self-test" else problems(sys.argv[1])
    print("\n".join(complaints) or "every link leads somewhere")
    sys.exit(1 if complaints else 0)
