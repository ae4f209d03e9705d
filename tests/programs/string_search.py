import fnmatch
import functools
import re

text = "she sells sea shells by the sea shore; the shells she sells are sea shells for sure, abababababab"
for p in "sea", "shells", "abab", "e", "absent":
    found = 0
    for hit in re.finditer("(?=%s)" % p, text):
        found = (found * 101 + hit.start()) % 2 ** 64
    print(found - (found >> 63 << 64))
other = "the shore sells seas"


@functools.lru_cache(None)
def common(i, j):
    if i < 0 or j < 0:
        return 0
    if text[i] == other[j]:
        return common(i - 1, j - 1) + 1
    return max(common(i - 1, j), common(i, j - 1))


print(common(len(text) - 1, len(other) - 1))
globs = "*sea*s?re*ab", "*sea*x*", "?he*", "*b?", "*b?b"
print(int("".join(str(int(fnmatch.fnmatchcase(text, g))) for g in globs), 2))
