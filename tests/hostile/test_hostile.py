#!/usr/bin/env python3
"""Hostile clients against the real relayd: one row each, in groups (rows/<group>.py).

  RELAYD=build/dev/bin/relayd tests/hostile/test_hostile.py              all groups
  RELAYD=build/dev/bin/relayd tests/hostile/test_hostile.py framing      one

Promise: whatever a client sends, it gets the right answer, two innocent clients go on exchanging messages, the counters
tell what happened and nothing else, and descriptors and memory are back where they were. Rows count; they measure no time.
"""
import importlib
import os
import pathlib
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
from stage import Stage  # noqa: E402

GROUPS = sorted(path.stem for path in (FOLDER / "rows").glob("*.py"))


class Group(unittest.TestCase):
    """The rows of one file. They share a relay, RELAY says of which kind, except for those that ask for one of their own."""

    relay = {}  # options of its Stage
    _stage = None

    @classmethod
    def tearDownClass(cls):
        cls.drop_stage()

    @classmethod
    def drop_stage(cls):
        if cls._stage:
            cls._stage.close()
            cls._stage = None

    @classmethod
    def shared_stage(cls):
        if cls._stage is None:
            cls._stage = Stage(**cls.relay)
        return cls._stage

    def try_row(self, row):
        if not row.starts:
            row.deed(None)
            return
        is_shared = row.relay is None
        stage = self.shared_stage() if is_shared else Stage(**{**self.relay, **row.relay})
        is_good = False
        try:
            changes = row.deed(stage)
            if not row.ends:
                stage.check(row.changes if changes is None else changes, row.keeps_messages)
            is_good = True
        except unittest.SkipTest:
            is_good = True
            raise
        finally:
            if not is_shared:
                stage.close()
            elif not is_good:  # the next row begins with a good relay
                self.drop_stage()
            if not is_good:
                print("\n".join(["relayd's last lines:", *stage.relay.log[-15:]]), file=sys.stderr)


def test_of(row):
    def test(self):
        self.try_row(row)
    test.__doc__ = f"{row.name}: {row.promise}"
    return test


def suite_of(name):
    module = importlib.import_module(f"rows.{name}")
    group = type(name, (Group,), {"relay": getattr(module, "RELAY", {})})
    suite = unittest.TestSuite()
    names = set()
    for row in module.ROWS:
        attribute = "test " + row.name
        assert attribute not in names, f"two rows of {name} are called {row.name}"
        names.add(attribute)
        setattr(group, attribute, test_of(row))
        suite.addTest(group(attribute))
    return suite


class OneLine(unittest.TextTestResult):
    """A line for each row."""

    def getDescription(self, test):
        return test.shortDescription()


def main(names):
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        sys.exit(f"test_hostile.py: there is no group '{unknown[0]}'; there are {', '.join(GROUPS)}")
    if "RELAYD" not in os.environ:
        sys.exit("test_hostile.py: the environment variable RELAYD must name the relayd to attack")
    suite = unittest.TestSuite(suite_of(name) for name in names or GROUPS)
    result = unittest.TextTestRunner(verbosity=2, resultclass=OneLine).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
