# Named like the module that it needs.
import sys

sys.path.pop(0)
import base64  # noqa: E402
import binascii  # noqa: E402

for s in b"", b"f", b"fo", b"foo", b"foobar, any carnal pleas":
    print(base64.b64encode(s).decode())
for s in "Zm9vYmE=", "Zm9vYmE", "Zm9v*mE=", "Zm9vYmF=", "Zg==":
    try:
        d = base64.b64decode(s, validate=True)
        if base64.b64encode(d).decode() != s:
            raise binascii.Error("not canonical")
        print(len(d), "bytes:", d.decode())
    except binascii.Error:
        print("refused")
print(base64.b64encode(bytes(range(255, -1, -1))).decode())
print(0)
