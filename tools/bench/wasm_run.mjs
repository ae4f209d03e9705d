// Runs a program that is a wasm64 module: node FLAGS wasm_run.mjs c|LOADER FILE.wasm [BATCHES NANOSECONDS]
//
// c: a C version, freestanding; the host is here. Otherwise a module of bytecode, with the loader (tools/wasm/vitrail.mjs).
// Without numbers it runs once and prints what the program prints, then a line with its result; with them it prints
// nanoseconds per run: the fastest of BATCHES, each of as many runs as fill NANOSECONDS (clock.h says why the fastest).
import { readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const WARM_UP = 400; // milliseconds
const [kind, file, batches, nanoseconds] = process.argv.slice(2);
let text = "";

// Memory is handed out in a row and taken back as a whole before each run.
async function programOfC(bytes) {
    const decoder = new TextDecoder();
    let memory;
    let next;
    const host = {
        print: (at, n) => { text += decoder.decode(memory.subarray(Number(at), Number(at + n))); },
        calloc: (n, size) => {
            const at = next;
            next = (next + Number(n * size) + 15) & ~15;
            memory.fill(0, at, next);
            return BigInt(at);
        },
        free: () => {},
    };
    const { instance } = await WebAssembly.instantiate(bytes, { host });
    memory = new Uint8Array(instance.exports.memory.buffer);
    const heap = Number(instance.exports.__heap_base.value);
    return () => {
        next = heap;
        return instance.exports.run();
    };
}

async function programOfBytecode(bytes) {
    const { instantiate } = await import(pathToFileURL(kind));
    const program = await instantiate(bytes, { stdout: part => { text += part; } });
    return () => program.run();
}

const bytes = readFileSync(file);
const run = await (kind === "c" ? programOfC(bytes) : programOfBytecode(bytes));

if (batches === undefined) {
    const result = run();
    writeSync(1, `${text}${result ?? 0}\n`);
} else {
    // Until the engine has compiled for good what runs often.
    for (const start = Date.now(); Date.now() < start + WARM_UP;) {
        text = "";
        run();
    }
    let best = Infinity;
    for (let b = 0; b < Number(batches); b++) {
        const start = process.hrtime.bigint();
        let n = 0;
        let took;
        do {
            text = "";
            run();
            n++;
            took = Number(process.hrtime.bigint() - start);
        } while (took < Number(nanoseconds));
        best = Math.min(best, took / n);
    }
    console.log(best.toFixed(0));
}
