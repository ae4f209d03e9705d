// tests/programs/mandelbrot.vita in plain C.
#include "main.h"

static int32_t steps(double cr, double ci, int32_t limit) {
    double zr = 0.0;
    double zi = 0.0;
    int32_t n = 0;
    while (n < limit && zr * zr + zi * zi <= 4.0) {
        double t = zr * zr - zi * zi + cr;
        zi = 2.0 * zr * zi + ci;
        zr = t;
        n++;
    }
    return n;
}

static int64_t program(void) {
    static const char shades[] = " .:-=+*#%@";
    enum { WIDTH = 61, HEIGHT = 21 };
    char line[WIDTH];
    int64_t inside = 0;
    for (int64_t y = 0; y < HEIGHT; y++) {
        for (int64_t x = 0; x < WIDTH; x++) {
            int32_t n = steps((double)x / 24.0 - 2.0, (double)y / 8.0 - 1.25, 40);
            if (n == 40) inside++;
            line[x] = shades[n * 9 / 40];
        }
        print_bytes(line, WIDTH);
        PRINT("\n");
    }
    uint8_t bits = 0;
    for (int64_t x = 0; x < 32; x++) {
        bits = (uint8_t)(bits << 1 | (steps((double)x / 16.0 - 1.5, 0.25, 50) == 50));
        if ((x & 7) == 7) {
            print_hex(bits, 2);
            bits = 0;
        }
    }
    PRINT("\n");
    return inside;
}
