#!/usr/bin/env python3
"""Holds the sources to the layers: a file may include its own folder and folders of strictly lower rank.

Promise: a newcomer can believe the diagram in lib/README.md. The CMake dependency lines are held to it as well.
"""
import re
import sys
import tempfile
from pathlib import Path

RANKS = {"base": 0, "wire": 1, "metrics": 1, "net": 2, "auth": 2, "channels": 2, "hub": 3, "ops": 4, "config": 5,
         "app": 6, "gui": 6, "bench": 6, "tests": 6}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/', re.MULTILINE)
DEPENDS = re.compile(r"\bDEPENDS\s+([a-z ]+)")
# A part of the system that a layer must not even name.
FORBIDDEN_WORDS = {"hub": re.compile(r"\b(epoll\w*|EPOLL\w*|file descriptor)\b"),
                   "channels": re.compile(r"\b(epoll\w*|[Ss]ocket\w*|file descriptor)\b"),
                   "net": re.compile(r"\b[Cc]hannel(?!Finished)\w*")}


def folder_of(path, root):
    parts = path.relative_to(root).parts
    return parts[1] if parts[0] == "lib" else parts[0]


def problems(root):
    found = []
    sources = [p for folder in ("lib", "app", "gui", "bench") for p in sorted((root / folder).rglob("*"))
               if p.suffix in (".h", ".cpp")]
    for path in sources:
        folder = folder_of(path, root)
        text = path.read_text(encoding="utf-8")
        if folder not in RANKS:
            found.append(f"{path.relative_to(root)}: the folder has no rank in tests/layers/check_includes.py")
            continue
        for target in INCLUDE.findall(text):
            if target != folder and target in RANKS and RANKS[target] >= RANKS[folder]:
                found.append(f"{path.relative_to(root)}: {folder} (rank {RANKS[folder]}) includes {target} "
                             f"(rank {RANKS[target]})")
        word = FORBIDDEN_WORDS.get(folder) and FORBIDDEN_WORDS[folder].search(text)
        if word:
            found.append(f"{path.relative_to(root)}: {folder} must not know of \"{word.group(0)}\"")
    for path in sorted((root / "lib").glob("*/CMakeLists.txt")):
        folder = folder_of(path, root)
        for names in DEPENDS.findall(path.read_text(encoding="utf-8")):
            for target in names.split():
                if RANKS.get(target, 99) >= RANKS[folder]:
                    found.append(f"{path.relative_to(root)}: {folder} must not link {target}")
    if not sources:
        found.append("no sources found")
    return found


def self_test():
    """The check must find each kind of breach, or its silence means nothing."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in {"lib/wire/a.cpp": '#include "hub/hub.h"\n', "lib/net/b.h": '#include "auth/x.h"\n',
                           "lib/hub/c.h": "// epoll\n", "lib/channels/f.h": "// a socket\n",
                           "lib/net/g.h": "// a channel\n", "lib/channels/h.h": '#include "net/x.h"\n',
                           "lib/hub/d.h": '#include "net/ok.h"\n',
                           "lib/odd/e.h": "\n", "lib/wire/CMakeLists.txt": "relay_layer(wire DEPENDS net base)\n"}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = problems(root)
    expected = ["lib/wire/a.cpp", "lib/net/b.h", "lib/hub/c.h", "lib/channels/f.h", "lib/net/g.h", "lib/channels/h.h",
                "lib/odd/e.h", "lib/wire/CMakeLists.txt"]
    missed = [name for name in expected if not any(line.startswith(name) for line in found)]
    return [f"self-test: nothing found in {name}" for name in missed] + \
           ([] if len(found) == len(expected) else [f"self-test: found {found}"])


if __name__ == "__main__":
    complaints = self_test() if sys.argv[1] == "--self-test" else problems(Path(sys.argv[1]))
    print("\n".join(complaints) or "the layers hold")
    sys.exit(1 if complaints else 0)
