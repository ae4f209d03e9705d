// Runs WebAssembly modules for wasm_case.c, which writes to its standard input (numbers are little-endian):
//
//   u32 bytes of the module, u32 calls, u64 address of the area, the module
//   each call: u32 its number (the export is "e<number>"), u32 arguments, u32 results, u32 bytes of memory,
//              the arguments (8 bytes each), the memory
//
// The area holds the arguments (512 bytes), the results (512 bytes) and the memory. The answer on standard output:
//
//   u32 0, or 1 when the module is not valid: then u32 bytes, text
//   each call: u32 0, or what trapped, as a number; u32 its place in the file; the results; the memory
import fs from 'node:fs';
import v8 from 'node:v8';
import { standard } from '../../tools/wasm/library.mjs';

// Features that older engines have behind flags: a module that needs it, the flag.
const FEATURES = [
    ['--experimental-wasm-memory64', [5, 3, 1, 4, 1]],
    ['--experimental-wasm-return-call', [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b]],
];
for (const [flag, sections] of FEATURES) {
    const module = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
    if (!WebAssembly.validate(module)) v8.setFlagsFromString(flag);
}
Error.stackTraceLimit = 1;

const KINDS = [/unreachable/, /divide by zero/, /divide result/, /float unrepresentable/, /memory access/,
    /null function|signature mismatch|table index/, /stack/];

function read(n) {
    const bytes = Buffer.alloc(n);
    for (let at = 0; at < n;) {
        const got = fs.readSync(0, bytes, at, n - at);
        if (!got) process.exit(at ? 3 : 0);
        at += got;
    }
    return bytes;
}

function write(bytes) {
    for (let at = 0; at < bytes.length;) at += fs.writeSync(1, bytes, at, bytes.length - at);
}

const u32 = (...numbers) => Buffer.from(Uint32Array.from(numbers).buffer);

function instantiate(bytes) {
    let exports;
    const library = standard({ bytes: (at, n) => new Uint8Array(exports.memory.buffer, at, n) });
    try {
        exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { vitrail: library }).exports;
        return exports;
    } catch (error) {
        const text = Buffer.from(String(error.message));
        write(Buffer.concat([u32(1, text.length), text]));
        return null;
    }
}

function call(exports, stack, area, head, values, memory, out) {
    const [number, , nResults] = head;
    const view = () => Buffer.from(exports.memory.buffer, area);
    values.copy(view(), 0);
    memory.copy(view(), 1024);
    view().fill(0, 512, 1024);
    if (stack !== undefined) exports.__stack_pointer.value = stack; // what a trap left
    let kind = 0;
    let place = 0;
    try {
        exports['e' + number](BigInt(area), BigInt(area + 512));
    } catch (error) {
        kind = 1 + KINDS.findIndex((pattern) => pattern.test(error.message));
        place = parseInt(/wasm-function\[\d+\]:0x([0-9a-f]+)/.exec(error.stack)?.[1] ?? '0', 16);
        if (!kind) kind = KINDS.length + 1;
    }
    out.push(u32(kind, place), Buffer.from(view().subarray(512, 512 + 8 * nResults)),
        Buffer.from(view().subarray(1024, 1024 + memory.length)));
}

for (;;) {
    const head = read(16);
    const area = Number(head.readBigUInt64LE(8));
    const module = read(head.readUInt32LE(0));
    const calls = [];
    for (let n = head.readUInt32LE(4); n; n--) {
        const bytes = read(16);
        const numbers = [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at));
        calls.push([numbers, read(8 * numbers[1]), read(numbers[3])]);
    }
    const exports = instantiate(module);
    if (!exports) continue;
    const stack = exports.__stack_pointer?.value;
    const out = [u32(0)];
    for (const [numbers, values, memory] of calls) call(exports, stack, area, numbers, values, memory, out);
    write(Buffer.concat(out));
}
