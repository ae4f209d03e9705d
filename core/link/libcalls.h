// The run-time library: what expansions of opcodes call (md/expand.md), by name, and the C function that does it.
#ifndef VTR_LINK_LIBCALLS_H
#define VTR_LINK_LIBCALLS_H

// X(name, C function, its types as in JitAdapter), sorted by name. Nearest rounds ties to even, as nearbyint() does in
// the default rounding mode.
#define LIBCALLS(X)                                                                                                    \
    X(CeilF32, ceilf, "f:f")                                                                                           \
    X(CeilF64, ceil, "d:d")                                                                                            \
    X(FloorF32, floorf, "f:f")                                                                                         \
    X(FloorF64, floor, "d:d")                                                                                          \
    X(FmaF32, fmaf, "fff:f")                                                                                           \
    X(FmaF64, fma, "ddd:d")                                                                                            \
    X(Memcmp, memcmp, "ppp:i")                                                                                         \
    X(Memcpy, memcpy, "ppp:p")                                                                                         \
    X(Memmove, memmove, "ppp:p")                                                                                       \
    X(Memset, memset, "pip:p")                                                                                         \
    X(NearestF32, nearbyintf, "f:f")                                                                                   \
    X(NearestF64, nearbyint, "d:d")                                                                                    \
    X(TruncF32, truncf, "f:f")                                                                                         \
    X(TruncF64, trunc, "d:d")

#endif
