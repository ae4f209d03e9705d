import hashlib

for message in (b"", b"abc", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                bytes(i * 7 % 256 for i in range(150))):
    print(hashlib.sha256(message).hexdigest())
