"""vtgen: checked descriptions in, C out.

    python3 gen/vtgen --md DIR --outputs             the names of the files it will write, one a line
    python3 gen/vtgen --md DIR --mdc PROGRAM --out DIR
    python3 gen/vtgen --md DIR --mdc PROGRAM --expand FILE     the declarations of a file with its templates stamped
    python3 gen/vtgen --md DIR --mdc PROGRAM --obligations FILE     what tests/proof asks, as one file for a solver

Every emitter is a module of this package with two functions:
    outputs(isas: list[str]) -> list[str]      file names; isas are the machines in md/, sorted
    emit(model) -> dict[str, str]              file name -> text
All checks run before any emitter, so a wrong description never leaves half an output behind.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import emitters  # noqa: E402


def machines(md):
    """The machines described in a directory: every file whose text opens with an `isa` declaration."""
    found = []
    for name in sorted(os.listdir(md)):
        if not name.endswith(".md"):
            continue
        with open(os.path.join(md, name), encoding="utf-8") as text:
            for line in text:
                if line.startswith("isa "):
                    found.append(line.split()[1])
                    break
    return found


def write_if_changed(path, text):
    """Keeps time stamps of unchanged outputs, so that editing one description rebuilds little."""
    try:
        with open(path, encoding="utf-8") as old:
            if old.read() == text:
                os.utime(path)
                return
    except OSError:
        pass
    with open(path, "w", encoding="utf-8") as new:
        new.write(text)


def main():
    options = argparse.ArgumentParser(prog="vtgen")
    options.add_argument("--md", required=True)
    options.add_argument("--outputs", action="store_true")
    options.add_argument("--mdc")
    options.add_argument("--out")
    options.add_argument("--expand", metavar="FILE")
    options.add_argument("--obligations", metavar="FILE")
    chosen = options.parse_args()
    isas = machines(chosen.md)
    if chosen.outputs:
        for module in emitters.ALL:
            for name in module.outputs(isas):
                print(name)
        return 0

    import model
    if chosen.expand:
        import expand_text
        return expand_text.print_file(chosen.mdc, chosen.expand)
    described = model.load(chosen.mdc, chosen.md, isas)
    if described is None:  # the errors have been printed
        return 1
    if chosen.obligations:
        import prove
        prove.write(described, chosen.obligations)
        return 0
    import machine
    texts = {}
    try:
        for module in emitters.ALL:
            texts.update(module.emit(described))
    except machine.DescriptionError as error:  # what only shows when an encoding is read both ways
        error.report(sys.stderr)
        return 1
    for name in sorted(texts):
        write_if_changed(os.path.join(chosen.out, name), texts[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
