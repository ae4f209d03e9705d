#!/usr/bin/env python3
"""Opens the example page (tools/page) in headless Chromium and compares what it shows with what must stand there.

    run.py VITRAIL

Text against tests/programs/NAME.out and the trap report of the interpreter, the picture point by point against the
Mandelbrot set computed here. Exit status 77, with the reason: there is no browser.
"""
import base64
import copy
import os
import pathlib
import subprocess
import sys
import tempfile

import webdriver

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "page"))
import page  # pylint: disable=wrong-import-position

SKIP = 77
LIMIT = 100
PIXELS = """
const canvas = document.querySelector("canvas");
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
let text = "";
for (let k = 0; k < data.length; k += 4096) text += String.fromCharCode(...data.subarray(k, k + 4096));
return { width: canvas.width, height: canvas.height, data: btoa(text) };
"""
CLICK = """
const canvas = document.querySelector("canvas");
const scale = canvas.clientWidth / canvas.width;
const at = { bubbles: true, clientX: canvas.getBoundingClientRect().left + (arguments[0] + 0.5) * scale,
    clientY: canvas.getBoundingClientRect().top + (arguments[1] + 0.5) * scale };
canvas.dispatchEvent(new MouseEvent("click", at));
"""
SHOWN = """
const section = document.getElementById(arguments[0]);
return ["output", "report"].map(part => section.querySelector("." + part).textContent);
"""
failures = []


def check(condition, message, *details):
    if not condition:
        failures.append(message)
        print("FAILED: %s" % message, *details, sep="\n")
    return condition


def steps(cr, ci):
    zr = zi = 0.0
    for n in range(LIMIT):
        rr, ii = zr * zr, zi * zi
        if rr + ii > 4.0:
            return n
        zr, zi = rr - ii + cr, 2.0 * zr * zi + ci
    return LIMIT


def colour(n):
    t = n / LIMIT
    u = 1.0 - t
    shares = (9.0 * u * (t * t) * t, 15.0 * (u * u) * (t * t), 8.5 * (u * u) * u * t)
    return bytes(int(share * 255.0) for share in shares) + b"\xff"


COLOURS = [colour(n) for n in range(LIMIT + 1)]


def expected_picture(width, height, left, top, step):
    """The pixels, and how many points stay inside."""
    counts = [steps(left + x * step, top + y * step) for y in range(height) for x in range(width)]
    return b"".join(COLOURS[n] for n in counts), counts.count(LIMIT)


def check_picture(browser, what, left, top, step):
    shown = browser.script(PIXELS)
    width, height = shown["width"], shown["height"]
    pixels = base64.b64decode(shown["data"])
    expected, inside = expected_picture(width, height, left, top, step)
    wrong = [k for k in range(0, len(expected), 4) if pixels[k:k + 4] != expected[k:k + 4]]
    where = wrong[0] // 4 if wrong else 0
    check(len(pixels) == len(expected) and not wrong, "%s: %d of %d points differ" % (what, len(wrong), width * height),
          "first: x %d, y %d: %r, not %r" % (where % width, where // width, pixels[where * 4:where * 4 + 4],
                                             expected[where * 4:where * 4 + 4]))
    check(0 < inside < width * height, "%s: shows nothing of the set's border" % what)
    facts = browser.script('return document.querySelector("#picture .facts").textContent')
    check(facts.startswith("%d of %d points inside; " % (inside, width * height)), "%s: facts" % what, facts)
    return width, height


def check_program(browser, vitrail, name):
    text, report = browser.script(SHOWN, name)
    source = ROOT / "tests" / "programs" / (name + ".vita")
    expected = source.with_suffix(".out").read_text(encoding="utf-8")
    check(text == expected, "%s: output" % name, text, "instead of", expected)
    run = subprocess.run([vitrail, "run", "--interpret", str(source)], capture_output=True, text=True, timeout=60,
                         check=False)
    check(report == run.stderr, "%s: trap report" % name, report, "instead of", run.stderr)
    return bool(report)


def check_page(browser, vitrail, modules):
    state = browser.until("""const state = document.documentElement.dataset.page;
                             return state !== "running" && state""")
    error = browser.script('return document.getElementById("error").textContent')
    if not check(state == "done" and not error, "the page is %s: %s" % (state, error)):
        return
    width, height = check_picture(browser, "picture", -2.25, -1.25, 1 / 128)
    x, y = width // 4, height // 3
    browser.script(CLICK, x, y)
    check_picture(browser, "picture, closer", -2.25 + x / 128 - width / 2 / 256, -1.25 + y / 128 - height / 2 / 256,
                  1 / 256)
    names = [entry["name"] for entry in modules["programs"]]
    trapped = [check_program(browser, vitrail, name) for name in names]
    check(len(names) > 3 and any(trapped) and not all(trapped), "programs that trap and ones that do not")
    # Again in the same page: nothing may be left of the first run.
    browser.script("for (const button of document.querySelectorAll('main button')) button.click()")
    browser.script("await new Promise(done => setTimeout(done, 300))")
    for name in names:
        check_program(browser, vitrail, name)
    error = browser.script('return document.getElementById("error").textContent')
    severe = [line for line in browser.messages() if line.startswith("SEVERE")]
    check(not error and not severe, "errors of the page", error, *severe)


def check_failure(browser):
    """A page with a damaged module says so: otherwise check_page() would see nothing, either."""
    state = browser.until("""const state = document.documentElement.dataset.page;
                             return state !== "running" && state""")
    shown = browser.script('return !document.getElementById("error").hidden && document.getElementById("error").textContent')
    check(state == "failed" and "CompileError" in (shown or ""), "a damaged module goes unseen", state, shown)


def damaged(modules):
    modules = copy.deepcopy(modules)
    wasm = bytearray(base64.b64decode(modules["programs"][0]["wasm"]))
    wasm[len(wasm) // 2:] = b""
    modules["programs"][0]["wasm"] = base64.b64encode(wasm).decode()
    return modules


def main():
    reason = webdriver.missing()
    if reason:
        print("skipped: %s (tools/setup installs it)" % reason)
        sys.exit(SKIP)
    vitrail = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder, webdriver.Browser() as browser:
        place = pathlib.Path(folder)
        for level in ("speed", "none"):
            modules = page.modules(vitrail, level)
            path = place / (level + ".html")
            page.write(path, modules)
            browser.open(path.as_uri())
            check_page(browser, vitrail, modules)
        path = place / "damaged.html"
        page.write(path, damaged(modules))
        browser.open(path.as_uri())
        check_failure(browser)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
