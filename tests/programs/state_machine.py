import json
import re

TEXTS = [
    r' [1, -2.5e3, 0, 12E-02, {"a\u00e9\n": [true, false, null, {}]}, [], [["x"]]] ',
    '{"key": "value", "list": [1, 2, 3], "deep": {"er": {"est": 0.125}}}',
    "3.14159", "[01]", "[1.]", '{"a": 1,}', "[1, 2", r'["bad \x escape"]', '{"a" 1}', "[1}", "nul", "1e+",
    "[true, falsy]",
]


def count(value, depth=0):
    """objects, arrays, strings, numbers, words, depth"""
    if isinstance(value, dict):
        parts = [(0, 0, len(value), 0, 0, 0)] + [count(v, depth + 1) for v in value.values()]
        own = (1, 0, 0, 0, 0, depth + 1)
    elif isinstance(value, list):
        parts, own = [count(v, depth + 1) for v in value], (0, 1, 0, 0, 0, depth + 1)
    else:
        word = value is None or isinstance(value, bool)
        parts, own = [], (0, 0, isinstance(value, str), not isinstance(value, str) and not word, word, 0)
    parts.append(own)
    return tuple(sum(p[k] for p in parts) for k in range(5)) + (max(p[5] for p in parts),)


def start_of_token(text, at):
    """The program reports where the token with the error starts."""
    for token in re.finditer(r'[-+.\w]+|"(?:\\.|[^"\\])*"|\S', text):
        if token.start() <= at < token.end():
            return token.start()
    return at


for text in TEXTS:
    try:
        print(*map(int, count(json.loads(text))))
    except json.JSONDecodeError as e:
        # Python takes the longest good prefix of a number as one: 0 in 01, 1 in 1e+. The whole word is at fault,
        # unless it is zero followed by digits, where the number ends and the rest does not belong.
        at = start_of_token(text, e.pos)
        if re.match(r"0\d", text[at:]):
            at += 1
        if text[e.pos:].startswith("}") and text[:e.pos].rstrip().endswith(","):
            at = e.pos
        print("error at", at)
