// tests/programs/crc32.vita in plain C.
#include "main.h"

static uint32_t *table;

static void make_table(void) {
    uint32_t *t = calloc(256, sizeof *t);
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int64_t k = 0; k < 8; k++) {
            if ((c & 1) == 1) c = c >> 1 ^ UINT32_C(3988292384);
            else c = c >> 1;
        }
        t[n] = c;
    }
    table = t;
}

static uint32_t crc(const uint8_t *s, int64_t from, int64_t to, uint32_t start) {
    uint32_t c = ~start;
    const uint32_t *t = table;
    for (int64_t i = from; i < to; i++) c = t[(c ^ s[i]) & 255] ^ c >> 8;
    return ~c;
}

static uint32_t crc_bits(const uint8_t *s, int64_t n) {
    uint32_t c = UINT32_MAX;
    for (int64_t i = 0; i < n; i++) {
        c ^= s[i];
        for (int64_t k = 0; k < 8; k++) c = c >> 1 ^ (UINT32_C(3988292384) & -(c & 1));
    }
    return ~c;
}

static uint32_t adler(const uint8_t *s, int64_t n) {
    uint32_t a = 1;
    uint32_t b = 0;
    for (int64_t i = 0; i < n; i++) {
        a = (a + s[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void show(const uint8_t *s, int64_t n) {
    uint32_t c = crc(s, 0, n, 0);
    print_hex(c, 8);
    print_bytes(crc_bits(s, n) == c ? " " : "!", 1);
    print_bytes(crc(s, n / 2, n, crc(s, 0, n / 2, 0)) == c ? " " : "!", 1);
    print_hex(adler(s, n), 8);
    PRINT("\n");
}

#define SHOW(literal) show((const uint8_t *)(literal), (int64_t)sizeof(literal) - 1)

static int64_t program(void) {
    make_table();
    SHOW("");
    SHOW("123456789");
    SHOW("The quick brown fox jumps over the lazy dog");
    uint8_t *s = calloc(600, 1);
    for (int64_t i = 0; i < 600; i++) s[i] = (uint8_t)(i * i >> 3);
    show(s, 600);
    int64_t result = crc(s, 100, 500, 0);
    free(s);
    free(table);
    return result;
}
