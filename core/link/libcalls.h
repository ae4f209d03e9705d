// The run-time library: what expansions of opcodes call (md/expand.md), by name, and the C function that does it.
#ifndef VTR_LINK_LIBCALLS_H
#define VTR_LINK_LIBCALLS_H

// X(name, C function), sorted by name. Nearest rounds ties to even, as nearbyint() does in the default rounding mode.
#define LIBCALLS(X)                                                                                                    \
    X(CeilF32, ceilf)                                                                                                  \
    X(CeilF64, ceil)                                                                                                   \
    X(FloorF32, floorf)                                                                                                \
    X(FloorF64, floor)                                                                                                 \
    X(FmaF32, fmaf)                                                                                                    \
    X(FmaF64, fma)                                                                                                     \
    X(Memcmp, memcmp)                                                                                                  \
    X(Memcpy, memcpy)                                                                                                  \
    X(Memmove, memmove)                                                                                                \
    X(Memset, memset)                                                                                                  \
    X(NearestF32, nearbyintf)                                                                                          \
    X(NearestF64, nearbyint)                                                                                           \
    X(TruncF32, truncf)                                                                                                \
    X(TruncF64, trunc)

#endif
