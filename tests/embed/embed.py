#!/usr/bin/env python3
"""Installs the library into a temporary folder and builds and runs the C examples of README.md against it."""
import argparse
import os
import re
import subprocess
import sys
import tempfile

# What each example prints, in the order they stand in README.md, and its arguments.
EXPECTED = [("42\n", ["tests/vectors/add.vitbc"]), ("21\n", []), ("21\n", [])]

WARNINGS = ["-Wall", "-Wextra", "-Werror"]

CMAKE = """cmake_minimum_required(VERSION 3.25)
project(example C)
find_package(vitrail 0.1 REQUIRED)
add_executable(example example.c)
target_compile_options(example PRIVATE %s)
target_link_options(example PRIVATE %s)
target_link_libraries(example PRIVATE vitrail::%s)
"""


def run(command, **more):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if result.returncode:
        sys.exit("%s\n%s%s" % (" ".join(command), result.stdout, result.stderr))
    return result.stdout


def with_cmake(folder, prefix, library, flags):
    with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as text:
        text.write(CMAKE % (flags, flags, library))
    built = os.path.join(folder, library)
    run(["cmake", "-G", "Ninja", "-S", folder, "-B", built, "-DCMAKE_PREFIX_PATH=" + prefix])
    run(["cmake", "--build", built])
    return os.path.join(built, "example")


def pkg_config(prefix, *arguments):
    """What it says, and the folder of the libraries."""
    found = [os.path.join(d, "vitrail.pc") for d, _, names in os.walk(prefix) if "vitrail.pc" in names]
    environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found[0]))
    return run(["pkg-config", *arguments, "vitrail"], env=environment).split(), os.path.dirname(os.path.dirname(found[0]))


def with_pkg_config(folder, prefix, command, flags):
    words, libraries = pkg_config(prefix, "--static", "--cflags", "--libs")
    program = os.path.join(folder, "with_pkg_config")
    run([*command, *flags.split(), os.path.join(folder, "example.c"), "-x", "none", "-o", program, *words,
         "-Wl,-rpath," + libraries])
    return program


def check_versions(prefix):
    """One version, wherever it is told."""
    (package,), libraries = pkg_config(prefix, "--modversion")
    program = run([os.path.join(prefix, "bin", "vitrail"), "--version"]).strip()
    names = re.findall(r"SONAME.*\[(.*)\]", run(["readelf", "-d", os.path.join(libraries, "libvitrail.so")]))
    if program != "vitrail " + package or names != ["libvitrail.so." + package.rsplit(".", 1)[0]]:
        sys.exit("versions: package %s, program %s, library %s" % (package, program, names))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--source", required=True)
    options.add_argument("--build", required=True)
    options.add_argument("--cc", required=True)
    options.add_argument("--flags", default="")
    chosen = options.parse_args()
    with open(os.path.join(chosen.source, "README.md"), encoding="utf-8") as text:
        examples = re.findall(r"^```c\n(.*?)^```", text.read(), re.M | re.S)
    if len(examples) != len(EXPECTED):
        sys.exit("README.md has %d C examples, %d expected" % (len(examples), len(EXPECTED)))
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "prefix")
        run(["cmake", "--install", chosen.build, "--prefix", prefix])
        check_versions(prefix)
        for example, (expected, arguments) in zip(examples, EXPECTED):
            with open(os.path.join(folder, "example.c"), "w", encoding="utf-8") as text:
                text.write(example)
            programs = [with_cmake(folder, prefix, library, chosen.flags) for library in ("vitrail", "vitrail_shared")]
            programs.append(with_pkg_config(folder, prefix, [chosen.cc, *WARNINGS], chosen.flags))
            for program in programs:
                printed = run([program, *arguments], cwd=chosen.source)
                if printed != expected:
                    sys.exit("%s printed %r, expected %r" % (program, printed, expected))
        # The last one is C++ as well; the compiler's C++ driver knows the library that sanitizers ask for then.
        cxx = re.sub(r"(clang|gcc)(?=[^/]*$)", lambda name: {"clang": "clang++", "gcc": "g++"}[name[1]], chosen.cc)
        program = with_pkg_config(folder, prefix, [cxx, "-x", "c++", "-std=c++17", *WARNINGS], chosen.flags)
        if run([program]) != EXPECTED[-1][0]:
            sys.exit("the last example printed something else as C++")
    return 0


if __name__ == "__main__":
    sys.exit(main())
