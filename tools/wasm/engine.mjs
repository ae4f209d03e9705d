// Runs modules for `vitrail run` and `vitrail test`: a process of Node that reads requests from file descriptor 0, a
// socket, and answers there. tools/vitrail/engine.c is the other side. All numbers are little-endian; a message is
//
//     u32 bytes that follow, u8 kind, contents
//
//     M  u32 flags (1: gc-stress), u32 milliseconds (0 = no limit), a module      -> k
//     C  u32 results, u32 arguments, their cells of 8 bytes, name of a function    -> r, t
//     V  the same; an empty name is the entry function                            -> o..., r, t
//
//     k  done                       r  cells of results
//     o  what the program printed   t  u32 code, report of a trap
//     e  text: why it cannot be done
//
// M makes the module the one that C (a function of IR) and V (an exported function of bytecode) call.

import { readSync, writeSync } from 'node:fs';
import { Trap, instantiateSync, prepare } from './vitrail.mjs';

const SOCKET = 0;
const OUTPUT_MAX = 1 << 16;
const OUTPUT_AGE = 100; // milliseconds that output waits for more

function read(n) {
    const out = new Uint8Array(n);
    for (let at = 0; at < n;) {
        let got = 0;
        try {
            got = readSync(SOCKET, out, at, n - at, null);
        } catch (e) {
            if (e.code !== 'EINTR' && e.code !== 'EAGAIN') throw e;
            continue;
        }
        if (!got) process.exit(0);
        at += got;
    }
    return out;
}

function write(kind, ...parts) {
    const size = parts.reduce((n, part) => n + part.length, 1);
    const out = new Uint8Array(4 + size);
    new DataView(out.buffer).setUint32(0, size, true);
    out[4] = kind.charCodeAt(0);
    let to = 5;
    for (const part of parts) {
        out.set(part, to);
        to += part.length;
    }
    for (let at = 0; at < out.length;) at += writeSync(SOCKET, out, at);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const words = (...numbers) => new Uint8Array(new Uint32Array(numbers).buffer);

// ---- what programs print ---------------------------------------------------------------------------

let waiting = [];
let size = 0;
let since = 0;

function print(bytes) {
    if (!bytes.length) return;
    if (!size) since = Date.now();
    waiting.push(bytes);
    size += bytes.length;
    if (size >= OUTPUT_MAX || Date.now() - since >= OUTPUT_AGE) flush();
}

function flush() {
    if (size) write('o', ...waiting);
    waiting = [];
    size = 0;
}

// ---- requests ----------------------------------------------------------------------------------------

let program = null;

function load(view) {
    const flags = view.getUint32(0, true);
    const timeout = view.getUint32(4, true);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + 8);
    program = null;
    program = instantiateSync(bytes, { write: print, gcStress: (flags & 1) !== 0, timeout });
    write('k');
}

function readCall(view) {
    const results = view.getUint32(0, true);
    const n = view.getUint32(4, true);
    const args = BigUint64Array.from({ length: n }, (_, k) => view.getBigUint64(8 + 8 * k, true));
    return { results, args, name: decoder.decode(new Uint8Array(view.buffer, view.byteOffset + 8 + 8 * n)) };
}

function call(view, bytecode) {
    const { results, args, name } = readCall(view);
    try {
        const cells = bytecode ? program.callCells(name || null, args) : program.callCells(name, args, results);
        flush();
        write('r', new Uint8Array(cells.buffer));
    } catch (e) {
        flush();
        if (!(e instanceof Trap)) throw e;
        write('t', words(e.code), encoder.encode(e.report));
    }
}

// Nothing in here waits for a promise: between two turns of its event loop Node 20 waits for its compiler's threads, and
// one of these may wait for a garbage collection on this one (nodejs/node#54918).
function serve() {
    for (;;) {
        const n = new DataView(read(4).buffer).getUint32(0, true);
        const body = read(n);
        const view = new DataView(body.buffer, 1);
        const kind = String.fromCharCode(body[0]);
        try {
            if (kind === 'M') load(view);
            else if ('CV'.includes(kind)) call(view, kind === 'V');
            else throw new Error(`a request of kind ${kind}`);
        } catch (e) {
            write('e', encoder.encode(e?.message ?? String(e)));
        }
    }
}

await prepare();
serve();
