// What wasm_link.clif is linked with, and what the test calls.
long sum_squares(const long *values, long n);
int add_to_counter(int n);
double second(void);
long halve(long n);

int counter = 40;
const double numbers[] = {1.5, 2.5, 4.5};
static const long values[] = {1, 2, 3, 100000};

long square(long x) { return x * x; }

void store_at(int *to, int x) { *to = x; }

// 0 = everything is right, else the number of what is not.
int check(void) {
    if (sum_squares(values, 4) != 14 + 100000L * 100000L) return 1;
    if (add_to_counter(2) != 40 || counter != 42 || add_to_counter(-42) != 42 || counter) return 2;
    if (second() != 2.5) return 3;
    if (halve(86) != 43) return 4;
    return 0;
}

long trap(void) { return halve(87); }
