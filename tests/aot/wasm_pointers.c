// What wasm_pointers.clif is linked with, and what the test calls.
typedef long Function(long);
long apply(Function *f, long x);
long apply_last(Function *f, long x);
long triple(long x);
Function *which(int triples);

long twice(long x) { return 2 * x; }
static long more(long x) { return x + 1; }

// 0 = everything is right, else the number of what is not.
int check(void) {
    if (apply(more, 9) != 10 || apply(triple, 9) != 27 || apply_last(twice, 9) != 18) return 1;
    if (which(1) != triple || which(0) != twice) return 2;
    if (which(1)(5) != 15 || apply(which(0), 5) != 10) return 3;
    return 0;
}
