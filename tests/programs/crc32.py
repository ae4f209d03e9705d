import zlib

long = bytes((i * i >> 3) % 256 for i in range(600))
for s in b"", b"123456789", b"The quick brown fox jumps over the lazy dog", long:
    print("%08x  %08x" % (zlib.crc32(s), zlib.adler32(s)))
print(zlib.crc32(long[100:500]))
