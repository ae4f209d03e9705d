"""Proofs of the descriptions.

    run.py --source DIR --mdc PROGRAM [--jobs N] [--seconds N] [--update] [--again] [--figures] [GROUP...]

Exit status 0: every obligation is proved or on the list. Answers that the tree lacks are asked; --update writes them
into the tree and takes out those that nothing asks for. --again asks what was not decided once more.
"""
import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import proof  # noqa: E402


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--source", required=True)
    options.add_argument("--mdc", required=True)
    options.add_argument("--md")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--update", action="store_true")
    options.add_argument("--again", action="store_true")
    options.add_argument("--figures", action="store_true")
    options.add_argument("groups", nargs="*")
    o = options.parse_args()
    start = time.monotonic()
    source = os.path.abspath(o.source)
    run = proof.Run(source, os.path.abspath(o.mdc), o.md or os.path.join(source, "md"), jobs=o.jobs, seconds=o.seconds)
    isas = [g for g in o.groups if g != "ir"] if o.groups else machines(run.md)
    if not run.describe(isas):
        return 1
    groups = o.groups or run.groups()
    if o.again:
        for g in groups:
            path = os.path.join(run.answers, g + ".txt")
            proof.write_answers(path, {n: a for n, a in run.known(g).items() if a[1] != "unknown"})
    run.collect(groups)
    run.solve()
    run.judge()
    if not o.groups:
        run.check_list()
    run.check_share()
    for g in groups:
        have, want = run.stale(g)
        if o.update:
            proof.write_answers(os.path.join(run.answers, g + ".txt"), want)
        elif have != want:
            print("answers/%s.txt: %d answers are new, %d old: `run.py --update` writes them"
                  % (g, len(set(want.items()) - set(have.items())), len(set(have) - set(want))))
    if o.figures:
        print("\n".join(run.table()))
    for f in run.failures:
        print(f.text)
    print("%d obligations, %d questions asked, %d failures, %.1f s"
          % (len(run.items), run.asked, len(run.failures), time.monotonic() - start))
    return 1 if run.failures else 0


def machines(md):
    found = []
    for name in sorted(os.listdir(md)):
        if name.endswith(".md"):
            with open(os.path.join(md, name), encoding="utf-8") as text:
                found += [line.split()[1] for line in text if line.startswith("isa ")][:1]
    return found


if __name__ == "__main__":
    sys.exit(main())
