// Runs a C version that was compiled to wasm64: node FLAGS wasm_c.mjs FILE.wasm [BATCHES NANOSECONDS]
//
// Without numbers it runs once and prints what the program prints, then a line with its result; with them it prints
// nanoseconds per run: the fastest of BATCHES, each of as many runs as fill NANOSECONDS (clock.h says why the fastest).
import { readFileSync, writeSync } from "node:fs";

const [file, batches, nanoseconds] = process.argv.slice(2);
const text = [];
let memory;
let next; // memory is handed out in a row and taken back as a whole before each run
const host = {
    print: (at, n) => {
        text.push(memory.slice(Number(at), Number(at + n)));
    },
    calloc: (n, size) => {
        const at = next;
        next = (next + Number(n * size) + 15) & ~15;
        memory.fill(0, at, next);
        return BigInt(at);
    },
    free: () => {},
};
const { instance } = await WebAssembly.instantiate(readFileSync(file), { host });
memory = new Uint8Array(instance.exports.memory.buffer);
const heap = Number(instance.exports.__heap_base.value);

function run() {
    next = heap;
    text.length = 0;
    return instance.exports.run();
}

if (batches === undefined) {
    const result = run();
    writeSync(1, Buffer.concat(text));
    writeSync(1, `${result}\n`);
} else {
    let best = Infinity;
    for (let b = 0; b < Number(batches); b++) {
        const start = process.hrtime.bigint();
        let n = 0;
        let took;
        do {
            run();
            n++;
            took = Number(process.hrtime.bigint() - start);
        } while (took < Number(nanoseconds));
        best = Math.min(best, took / n);
    }
    console.log(best.toFixed(0));
}
