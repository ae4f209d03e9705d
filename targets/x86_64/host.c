// What a description cannot say: which optional features the processor has that this library runs on.
#include "x86_64.h"

#if defined(__x86_64__)
#include <cpuid.h>

static bool bit(unsigned word, unsigned n) { return word >> n & 1; }

// Whether the system saves the upper halves of the vector registers (XCR0 bits 1 and 2).
static bool saves_ymm(void) {
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}
#endif

// Bit 63 is always set on this machine, so that the answer is not 0 on one without any optional feature.
uint64_t x86_64_host_features(void) {
#if defined(__x86_64__)
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    uint64_t found = UINT64_C(1) << 63;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
    bool avx = bit(c, 27) && bit(c, 28) && saves_ymm();
    const struct {
        bool has;
        unsigned feature;
    } basic[] = {{bit(c, 0), X86_64_FEATURE_sse3},       {bit(c, 9), X86_64_FEATURE_ssse3},
                 {bit(c, 19), X86_64_FEATURE_sse41},     {bit(c, 20), X86_64_FEATURE_sse42},
                 {bit(c, 23), X86_64_FEATURE_popcnt},    {avx, X86_64_FEATURE_avx},
                 {avx && bit(c, 12), X86_64_FEATURE_fma}};
    for (unsigned i = 0; i < sizeof basic / sizeof *basic; i++)
        if (basic[i].has) found |= UINT64_C(1) << basic[i].feature;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        if (bit(b, 3)) found |= UINT64_C(1) << X86_64_FEATURE_bmi1;
        if (bit(b, 8) && avx) found |= UINT64_C(1) << X86_64_FEATURE_bmi2;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) && bit(c, 5)) found |= UINT64_C(1) << X86_64_FEATURE_lzcnt;
    return found;
#else
    return 0;
#endif
}
