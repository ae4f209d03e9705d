"""vtgen: checked descriptions in, C out.

    python3 gen/vtgen --md DIR --outputs             the names of the files it will write, one a line
    python3 gen/vtgen --md DIR --mdc PROGRAM --out DIR
    python3 gen/vtgen --md DIR --mdc PROGRAM --expand FILE     the declarations of a file with its templates stamped
    python3 gen/vtgen --md DIR --mdc PROGRAM --obligations FILE     what tests/proof asks, as one file for a solver

Every emitter is a module of this package with two functions:
    outputs(isas: list[str]) -> list[str]      file names; isas are the machines in md/, sorted
    emit(model) -> dict[str, str]              file name -> text
Nothing is written before all machines have passed all checks and emitters, so that a wrong description never leaves half
an output behind. What stands for all machines is read first; then each machine is built, checked and emitted in a process
of its own. Their texts and messages are joined in the order of the machines' names.
"""
import argparse
import contextlib
import gc
import io
import os
import pickle
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import emitters  # noqa: E402


def machines(md):
    """The machines described in a directory: every file whose text opens with an `isa` declaration."""
    found = []
    for name in sorted(os.listdir(md)):
        if not name.endswith(".md"):
            continue
        with open(os.path.join(md, name), encoding="utf-8", errors="replace") as text:
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


def machine_texts(described, name, decls):
    """(file name -> text, or None after errors; what was printed)."""
    import checks
    import model
    from diag import DescriptionError, Diagnostics, Rejected
    printed, diag, texts = io.StringIO(), Diagnostics(), {}
    with contextlib.redirect_stderr(printed):
        model.add_machine(described, name, decls, diag)
        if not diag:
            checks.machine(described.isas[name], described, diag, True)
        if not diag:
            try:
                for module in emitters.MACHINE:
                    texts.update(module.emit(described))
            except DescriptionError as error:  # what only shows when an encoding is read both ways
                diag.error(error.loc, error.text)
            except Rejected as error:
                diag = error.diag
        if diag:
            diag.report(sys.stderr)
    return None if diag else texts, printed.getvalue()


def start(work, *arguments):
    """Calls work in a child process; the stream from which its result comes, pickled."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        os.close(theirs)
        return os.fdopen(ours, "rb")
    os.close(ours)
    status = 1
    try:
        with os.fdopen(theirs, "wb") as out:
            pickle.dump(work(*arguments), out)
        status = 0
    except BaseException:  # nothing of the parent's may run here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
    return None


def generate(mdc, md, isas, out):
    import checks
    import model
    from diag import DescriptionError, Diagnostics
    diag = Diagnostics()
    described, decls = model.load_common(mdc, *model.paths_of(md, isas), diag)
    if described is not None and not diag:
        checks.common(described, diag)
    if diag:
        diag.report(sys.stderr)
    if diag or described is None:
        return 1
    children = [start(machine_texts, described, name, decls[name]) for name in described.names]
    texts, failed = {}, False
    try:
        for module in emitters.COMMON:
            texts.update(module.emit(described))
    except DescriptionError as error:
        error.report(sys.stderr)
        failed = True
    for child in children:
        try:
            with child:
                made, printed = pickle.load(child)
        except EOFError:  # it has printed why
            made, printed = None, ""
        sys.stderr.write(printed)
        failed |= made is None
        texts.update(made or {})
    while children:
        os.wait()
        children.pop()
    if failed:
        return 1
    for name in sorted(texts):
        write_if_changed(os.path.join(out, name), texts[name])
    return 0


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
    if chosen.obligations:
        import prove
        described = model.load(chosen.mdc, chosen.md, isas)
        if described is None:  # the errors have been printed
            return 1
        prove.write(described, chosen.obligations)
        return 0
    gc.disable()  # a run is short and makes few circles
    return generate(chosen.mdc, chosen.md, isas, chosen.out)


if __name__ == "__main__":
    sys.exit(main())
