// What another compiler writes: hints of alignment that are not natural, bulk memory, relocations. Nothing that needs a
// function table: wasm-objdump does not read those with indices of 64 bits.
typedef unsigned char u8;
typedef struct __attribute__((packed)) Odd {
    u8 tag;
    short half;
    int word;
    long wide;
    float single;
    double twice;
} Odd;
typedef struct Big {
    long v[40];
} Big;

extern int outside(int n, double x);
extern long counter;
long table[64];
static const char text[] = "a text";
Big one, two;

long sum(Odd *o) { return o->tag + o->half + o->word + o->wide + (long)o->single + (long)o->twice; }
void fill(Odd *o, long x) { *o = (Odd){(u8)x, (short)x, (int)x, x, (float)x, (double)x}; }
void copy(void) {
    one = two;
    __builtin_memset(&two, 7, sizeof two);
}
const char *name(int k) { return text + k; }
long through(int k, Odd *o) { return (k ? sum(o) : k) + counter++; }

int kind(int x, double y) {
    switch (x) {
    case 0: return outside(1, y);
    case 1: return (int)y + 3;
    case 2: return (int)(unsigned)y * 5;
    case 3: return x << (int)y;
    case 5: return table[x & 63] != 0;
    case 9: return -(int)(signed char)x;
    default: return (int)sizeof(Big) * x;
    }
}

double poly(const double *c, int n, double x) {
    double s = 0;
    for (int i = n; i-- > 0;) s = s * x + (c[i] < 0 ? -__builtin_sqrt(-c[i]) : __builtin_floor(c[i]));
    return __builtin_copysign(s, x);
}

unsigned long mix(unsigned long a, unsigned long b) {
    unsigned long r = a;
    while (b) {
        r = (r << 7 | r >> 57) ^ (unsigned long)__builtin_popcountl(b) * 0x9e3779b97f4a7c15;
        b &= b - 1;
        if (r % 3 == 0) r += (unsigned long)__builtin_clzl(r | 1);
        else if (b > 100) r /= b;
    }
    return r;
}

int growth(long pages) {
    return (int)__builtin_wasm_memory_grow(0, (unsigned long)pages) + (int)__builtin_wasm_memory_size(0);
}
_Bool local(int n) {
    int here[16];
    for (int i = 0; i < 16; i++) here[i] = outside(i, n);
    return here[n & 15] > here[0] && (n > 3 || outside(here[1], 2));
}
