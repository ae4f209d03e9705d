// Functions that modules call: those of C's library that the code generator counts on, and JavaScript's as functions of
// WebAssembly.

// A JavaScript function as one of WebAssembly, which function tables take. Types by their codes.
export function wasmFunction(f, params, results) {
    const type = [0x60, params.length, ...params, results.length, ...results];
    if (type.length > 126) throw new RangeError('a function with too many parameters');
    // (module (import "m" "f" (func (type 0))) (export "f" (func 0)))
    const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, type.length + 1, 1, ...type];
    bytes.push(2, 7, 1, 1, 0x6d, 1, 0x66, 0, 0, 7, 5, 1, 1, 0x66, 0, 0);
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    return new WebAssembly.Instance(module, { m: { f } }).exports.f;
}

// f64 of the exact sum of a * b and c, rounded once, and the same for f32.
function fma(a, b, c, digits, least) {
    if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0 || b === 0) return a * b + c;
    if (!Number.isFinite(c)) return c;
    const [x, ex] = parts(a);
    const [y, ey] = parts(b);
    const [z, ez] = parts(c);
    const e = Math.min(ex + ey, z ? ez : ex + ey);
    const sum = (x * y << BigInt(ex + ey - e)) + (z ? z << BigInt(ez - e) : 0n);
    if (sum === 0n) return x * y < 0n && c < 0 ? -0 : 0;
    return rounded(sum, e, digits, least);
}

// x = m * 2^e
function parts(x) {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    const bits = view.getBigUint64(0);
    const exponent = Number(bits >> 52n & 0x7ffn);
    const fraction = bits & 0xfffffffffffffn;
    const m = exponent ? fraction | 1n << 52n : fraction;
    return [x < 0 ? -m : m, (exponent || 1) - 1075];
}

// m * 2^e rounded to so many digits, ties to even; the last digit is worth 2^least at least.
function rounded(m, e, digits, least) {
    const negative = m < 0n;
    let size = negative ? -m : m;
    const drop = Math.max(size.toString(2).length - digits, least - e);
    if (drop > 0) {
        const half = 1n << BigInt(drop - 1);
        const rest = size & (half << 1n) - 1n;
        size >>= BigInt(drop);
        if (rest > half || (rest === half && size & 1n)) size++;
        e += drop;
    }
    // At most 53 bits, and a power that may have to be multiplied in two steps.
    const half = Math.trunc(e / 2);
    const x = e > 971 ? Number(size << BigInt(e - 971)) * 2 ** 971 : Number(size) * 2 ** half * 2 ** (e - half);
    return negative ? -x : x;
}

// Functions that code calls by C's names, when nobody else provides them.
export function standard(memory) {
    const bytes = (at, n) => memory.bytes(Number(BigInt.asUintN(64, at)), Number(BigInt.asUintN(64, n)));
    return {
        memcpy: (to, from, n) => (bytes(to, n).set(bytes(from, n)), to),
        memmove: (to, from, n) => (bytes(to, n).set(bytes(from, n)), to),
        memset: (to, value, n) => (bytes(to, n).fill(value), to),
        memcmp(a, b, n) {
            const x = bytes(a, n);
            const y = bytes(b, n);
            for (let k = 0; k < x.length; k++) if (x[k] !== y[k]) return x[k] - y[k];
            return 0;
        },
        fma: (a, b, c) => fma(a, b, c, 53, -1074),
        fmaf: (a, b, c) => Math.fround(fma(a, b, c, 24, -149)),
        ceil: Math.ceil,
        ceilf: Math.ceil,
        floor: Math.floor,
        floorf: Math.floor,
        trunc: Math.trunc,
        truncf: Math.trunc,
        nearbyint: x => nearest(x, 2 ** 52),
        nearbyintf: x => nearest(x, 2 ** 23),
    };
}

function nearest(x, whole) {
    if (!(Math.abs(x) < whole)) return x;
    const low = Math.floor(x);
    const up = x - low;
    const r = up < 0.5 || (up === 0.5 && low % 2 === 0) ? low : low + 1;
    return r === 0 && (x < 0 || Object.is(x, -0)) ? -0 : r;
}
