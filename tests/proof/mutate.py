"""Does every wrong description of mutations.txt break the proofs, with the rule's name, its line and a counterexample?

    mutate.py --source DIR --mdc PROGRAM [--jobs N] [TITLE...]

A mutation is made in a copy of the descriptions. Only the rule that must fail is asked for, as far as its questions are
not those of the cache; asking ends with the first counterexample.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import proof  # noqa: E402


class Mutation:
    def __init__(self, title):
        self.title, self.file, self.group, self.old, self.new = title, None, None, None, None
        self.kind, self.rule, self.at = None, None, None


def read(path):
    found = []
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            mark, rest = line[0], line[2:]
            if mark == "=":
                found.append(Mutation(rest))
            elif mark == "-":
                found[-1].old = rest
            elif mark == "+":
                found[-1].new = rest
            elif mark == "@":
                found[-1].at = rest
            elif mark == "!":
                found[-1].kind, found[-1].rule = rest.split()
            elif re.fullmatch(r"\w+\.md: \w+", line):
                found[-1].file, found[-1].group = line.split(": ")
            else:
                sys.exit("mutations.txt:%d: what is this?" % n)
    return found


def line_of(text, part):
    """The line of a text that stands there once; None when it does not."""
    return text[:text.index(part)].count("\n") + 1 if text.count(part) == 1 else None


def try_one(source, mdc, mutation):
    """None, or what is wrong."""
    with open(os.path.join(source, "md", mutation.file), encoding="utf-8") as f:
        text = f.read()
    if text.count(mutation.old) != 1:
        return "its text stands %d times in %s" % (text.count(mutation.old), mutation.file)
    text = text.replace(mutation.old, mutation.new)
    at = mutation.at or mutation.new
    where = mutation.file
    with tempfile.TemporaryDirectory() as copy:
        md = os.path.join(copy, "md")
        shutil.copytree(os.path.join(source, "md"), md)
        with open(os.path.join(md, mutation.file), "w", encoding="utf-8") as f:
            f.write(text)
        line = line_of(text, at)
        if line is None and mutation.at is not None:  # the rule stands in another description
            for where in ("rewrite.md", "expand.md"):
                with open(os.path.join(md, where), encoding="utf-8") as f:
                    line = line_of(f.read(), at)
                if line is not None:
                    break
        if line is None:
            return "no line, or several, read '%s'" % at
        run = proof.Run(source, mdc, md, jobs=1, seconds=60)
        if not run.describe([] if mutation.group == "ir" else [mutation.group]):
            return "the description does not build"
        return judge(run, mutation, "%s:%d" % (where, line))


def judge(run, mutation, place):
    group, asked = mutation.group, False
    for item, ob in proof.collect(run.prove, run.smt, run.model, group, run.known(group),
                                  lambda ob: (ob.kind, ob.rule) == (mutation.kind, mutation.rule)):
        if item.text is None or item.kind != mutation.kind:
            continue
        asked = True
        run.items = [item]
        run.solve()
        if item.answer[0] == "sat":
            text = run.explain(item, ob)
            head = text.split("\n")[0]
            due = r"\b%s\b.* %s '%s' is wrong" % (re.escape(place), mutation.kind, re.escape(mutation.rule))
            if not re.search(due, head):
                return "%s is due, this is reported: %s" % (place, head)
            if " is due, " not in text:
                return "it is reported without a counterexample:\n" + text
            return None
    what = "%s '%s'" % (mutation.kind, mutation.rule)
    return what + " is still proved" if asked else "it changes nothing that is asked of " + what


def work(args):
    return try_one(*args)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--source", required=True)
    options.add_argument("--mdc", required=True)
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("titles", nargs="*")
    o = options.parse_args()
    source, mdc = os.path.abspath(o.source), os.path.abspath(o.mdc)
    chosen = [m for m in read(os.path.join(HERE, "mutations.txt")) if not o.titles or m.title in o.titles]
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(o.jobs) as pool:
        for m, wrong in zip(chosen, pool.map(work, [(source, mdc, m) for m in chosen])):
            if wrong is not None:
                failed += 1
                print("%s (%s): %s" % (m.title, m.file, wrong))
    print("%d mutations, %d caught" % (len(chosen), len(chosen) - failed))
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
