// tests/programs/recursion.vita in plain C.
#include "main.h"

static int64_t ackermann(int64_t m, int64_t n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

static int64_t hanoi(int64_t n, int64_t src, int64_t dst, int64_t via, int64_t *pegs) {
    if (n == 0) return 0;
    int64_t moves = hanoi(n - 1, src, via, dst, pegs);
    pegs[src]--;
    pegs[dst]++;
    return moves + 1 + hanoi(n - 1, via, dst, src, pegs);
}

static int64_t queens(int64_t n, int64_t row, uint64_t columns, uint64_t left, uint64_t right) {
    if (row == n) return 1;
    int64_t count = 0;
    uint64_t open = ~(columns | left | right) & ((UINT64_C(1) << n) - 1);
    while (open != 0) {
        uint64_t bit = open & -open;
        open ^= bit;
        count += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

static int64_t male(int64_t n);

static int64_t female(int64_t n) {
    if (n == 0) return 1;
    return n - male(female(n - 1));
}

static int64_t male(int64_t n) {
    if (n == 0) return 0;
    return n - female(male(n - 1));
}

static int64_t program(void) {
    PRINT("ackermann(2, 9) = ");
    line_i64(ackermann(2, 9));
    int64_t *pegs = calloc(3, sizeof *pegs);
    pegs[0] = 10;
    PRINT("hanoi moves: ");
    line_i64(hanoi(10, 0, 2, 1, pegs));
    PRINT("discs on the target: ");
    line_i64(pegs[2]);
    PRINT("queens:");
    for (int64_t n = 1; n < 8; n++) {
        PRINT(" ");
        print_i64(queens(n, 0, 0, 0, 0));
    }
    PRINT("\nfemale:");
    for (int64_t k = 0; k < 12; k++) {
        PRINT(" ");
        print_i64(female(k));
    }
    PRINT("\nmale:");
    for (int64_t k = 0; k < 12; k++) {
        PRINT(" ");
        print_i64(male(k));
    }
    PRINT("\n");
    free(pegs);
    return ackermann(1, 20);
}
