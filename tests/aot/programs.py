#!/usr/bin/env python3
"""The modules under tests/programs as executables: the same output, trap report and exit status as `vitrail run`.

    programs.py VITRAIL FOLDER PROGRAMS TARGET [--cc COMMAND] [--runner COMMAND] [NAME...]

Every program is built at both levels into FOLDER and run with the arguments of its `; run:` lines, once more under
gc-stress. The runner (qemu) runs what this machine cannot; it is slow, so gc-stress is for -O speed only there. Without
a C compiler, object files are made and that is all.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys


def run(command, env=None):
    """A program that hangs is killed; its status is then 137."""
    command = ["timeout", "-s", "KILL", "120", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, **(env or {})})


def arguments(text):
    return [line.split() for line in re.findall(r"^;\s*run:(.*)$", text, re.M)] or [[]]


def split(words):
    """Options of `vitrail run` as options of the executable's runtime; the rest are arguments."""
    options, args = [], []
    words = [w for word in words for w in (word.split("=", 1) if word.startswith("--") else [word])]
    while words:
        word = words.pop(0)
        if word == "--entry":
            options.append("entry=" + words.pop(0))
        elif word == "--timeout":
            options.append("timeout=" + words.pop(0))
        elif word == "--gc-stress":
            options.append("gc-stress")
        elif word == "--":
            args += words
            break
        elif word != "--allow-low":
            args.append(word)
    return options, args


class Checker:
    def __init__(self, options):
        self.options = options
        self.runner = options.runner.split()

    def build(self, program, level, allow_low):
        name = os.path.splitext(os.path.basename(program))[0]
        out = os.path.join(self.options.folder, "%s.%s.%s" % (name, self.options.target, level))
        command = [self.options.vitrail, "build", program, "--target", self.options.target, "-O", level, "--check",
                   "-o", out]
        if self.options.cc:
            command += ["--exe", "--linker", self.options.cc]
        result = run(command + (["--allow-low"] if allow_low else []))
        return (out, None) if result.returncode == 0 else (None, result.stderr)

    def check(self, program):
        with open(program, encoding="utf-8") as file:
            text = file.read()
        lines = arguments(text)
        quick = re.search(r"^;\s*no-gc-stress: \S", text, re.M) is not None
        runs = self.options.cc != ""
        expected = [run([self.options.vitrail, "run", program, *line]) for line in lines if runs]
        failures = []
        for level in ("none", "speed"):
            exe, error = self.build(program, level, any("--allow-low" in line for line in lines))
            if error is not None:
                failures.append("%s -O %s: %s" % (program, level, error))
                continue
            for stress in ([False] if quick or (self.runner and level == "none") else [False, True]):
                for line, want in zip(lines, expected):
                    got = self.run(exe, line, stress, want, program)
                    if told(got, exe, program) != told(want):
                        failures.append("%s -O %s %s%s: got %s, status %d\n%s%s\nwanted status %d\n%s%s" % (
                            program, level, line, " gc-stress" if stress else "", exe, got.returncode,
                            got.stdout[-2000:], got.stderr, want.returncode, want.stdout[-2000:], want.stderr))
            os.remove(exe)
        return failures

    def run(self, exe, line, stress, want, program):
        """A machine with other work may interrupt a program before it comes to its loop: it then gets more time."""
        options, args = split(line)
        for zeros in ("", "0", "00") if any(o.startswith("timeout=") for o in options) else ("",):
            more = [option + zeros if option.startswith("timeout=") else option for option in options]
            env = {"VITRAIL_RT": ",".join(more + (["gc-stress"] if stress else []))}
            got = run([*self.runner, exe, *args], env)
            if told(got, exe, program) == told(want):
                break
        return got


def told(result, name="", instead=""):
    return [result.stdout, result.stderr.replace(name, instead) if name else result.stderr, result.returncode]


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder", "programs", "target"):
        parser.add_argument(name)
    parser.add_argument("--cc", default="")
    parser.add_argument("--runner", default="")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    os.makedirs(options.folder, exist_ok=True)
    programs = sorted(glob.glob(os.path.join(options.programs, "*.vita")))
    if options.names:
        programs = [p for p in programs if os.path.splitext(os.path.basename(p))[0] in options.names]
    if not programs:
        print("no programs found")
        return 1
    checker = Checker(options)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failures = [f for found in pool.map(checker.check, programs) for f in found]
    print("\n".join(failures))
    print("%d programs, %d failures" % (len(programs), len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
