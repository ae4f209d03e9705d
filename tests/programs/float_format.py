"""python's own formatting, which is exact as well."""
import math
import struct

single, = struct.unpack("f", struct.pack("f", 0.1))
for x, n in ((0.0, 5), (1.0, 17), (0.1, 17), (0.1, 30), (-2.5, 2), (123456789.125, 11), (999999.5, 6), (1e23, 17),
             (9007199254740993.0, 16), (6.02214076e+23, 9), (1.7976931348623157e-30, 17), (single, 20), (-1e-40, 17),
             (1 / 3, 25), (1e70, 20), (math.inf, 3), (-math.inf, 3), (0.0, 4), (math.sqrt(2), 17)):
    print("0" if x == 0 else "%.*e" % (n - 1, x))
