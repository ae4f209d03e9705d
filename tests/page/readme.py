#!/usr/bin/env python3
"""Runs the JavaScript example of README.md as it stands there: readme.py VITRAIL. Exit status 77: there is no Node."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPECTED = "832040n\nOVERFLOW E7002 fact\n"


def main():
    if not shutil.which("node"):
        print("skipped: Node is not installed (tools/setup installs it)")
        sys.exit(77)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example, = re.findall(r"^```js\n(.*?)^```$", readme, re.M | re.S)
    build, node = re.search(r"^    vitrail (build .*)\n    (node .* example\.mjs)$", readme, re.M).groups()
    known = subprocess.run(["node", "--v8-options"], capture_output=True, text=True, check=True).stdout
    # An old one takes tail calls, which the module has, behind another option; a new one may know neither.
    program, *words = node.split()
    words.insert(0, "--experimental-wasm-return-call")
    node = [program, *(word for word in words if not word.startswith("--") or word in known)]
    with tempfile.TemporaryDirectory() as folder:
        for part in (ROOT / "tools" / "wasm").glob("*.mjs"):
            shutil.copy(part, folder)
        pathlib.Path(folder, "example.mjs").write_text(example, encoding="utf-8")
        (pathlib.Path(folder) / "tests").symlink_to(ROOT / "tests")
        subprocess.run([sys.argv[1], *build.split()], cwd=folder, check=True, timeout=60)
        result = subprocess.run(node, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode or result.stdout != EXPECTED:
        sys.exit("the example of README.md prints\n%s%s" % (result.stdout, result.stderr))


if __name__ == "__main__":
    main()
