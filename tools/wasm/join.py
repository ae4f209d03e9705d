#!/usr/bin/env python3
"""Prints the loader as one file, for pages that hold it in themselves: join.py > vitrail_all.mjs

vitrail.mjs comes last, behind the files that it imports, and its exports are those of the whole.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
IMPORT = re.compile(r"^import \{[^}]*\} from '\./(\w+)\.mjs';\n", re.M)


def joined(name="vitrail", done=None):
    """The text of a file behind those of the files that it imports and are not done."""
    done = done if done is not None else set()
    done.add(name)
    with open(os.path.join(HERE, name + ".mjs"), encoding="utf-8") as file:
        text = file.read()
    before = "".join(re.sub(r"^export (?!\{)", "", joined(other, done), flags=re.M)
                     for other in IMPORT.findall(text) if other not in done)
    return before + IMPORT.sub("", text)


if __name__ == "__main__":
    sys.stdout.write(joined())
