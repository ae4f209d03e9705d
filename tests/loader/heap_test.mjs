// The heap of the loader against a model: a graph of objects that a program changes at random, whose every field is
// compared after each collection. Objects come from the heap's functions and, as compiled code makes them, from the
// window.

import assert from 'node:assert/strict';
import { Heap, Memory, roundUp } from '../../tools/wasm/heap.mjs';
import { K_ARRAY, K_STRUCT } from '../../tools/wasm/format.mjs';
import { prepare } from '../../tools/wasm/vitrail.mjs';

await prepare();

// A memory of 64 bits is the module's own: (module (memory (export "m") i64 2 MAX)).
function memoryOf(max) {
    const limits = [5, 2, ...leb(max)];
    const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const bytes = [...head, 5, limits.length + 1, 1, ...limits, 7, 5, 1, 1, 0x6d, 2, 0];
    return new Memory(new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.m);
}

function leb(x) {
    return x < 128 ? [x] : [(x & 127) | 128, ...leb(x >> 7)];
}

function random(seed) {
    let state = seed;
    return below => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 2 ** 32 * below);
    };
}

const PAIR = 0;
const BYTES = 1;
const REFS = 2;
const EMPTY = 3;
const types = [
    { kind: K_STRUCT, size: 24, map: [0, 16] },
    { kind: K_ARRAY, size: 1, refs: false },
    { kind: K_ARRAY, size: 8, refs: true },
    { kind: K_STRUCT, size: 0, map: [] },
];
const WINDOW = 64;
const STACK = 1024; // words here may be references
const STACK_WORDS = 16;

class Program {
    constructor(seed, options, max = 1024) {
        this.random = random(seed);
        this.memory = memoryOf(max);
        this.roots = new Array(24).fill(null);
        this.objects = 0;
        const roots = (exact, maybe) => {
            for (const r of this.roots.slice(STACK_WORDS)) exact(r ? r.ref : 0);
            for (let k = 0; k < STACK_WORDS; k++) maybe(this.memory.number(STACK + k * 8));
        };
        this.heap = new Heap(this.memory, types, { base: 4096, window: WINDOW, roots, ...options });
    }

    setRoot(k, model) {
        this.roots[k] = model;
        if (k < STACK_WORDS) this.memory.setNumber(STACK + k * 8, model ? model.ref : this.random(2 ** 30));
    }

    make(type, length) {
        const model = { type, length, refs: [], value: 0, bytes: null };
        model.ref = this.allocate(type, length);
        if (!model.ref) return null;
        this.objects++;
        assert.equal(model.ref % 8, 0);
        const { words, all } = this.memory.check();
        assert.deepEqual([...words.subarray(model.ref / 4 - 4, model.ref / 4)], [0, 0, type, length]);
        const payload = this.heap.objectBytes(model.ref - 16) - 16;
        assert(all.subarray(model.ref, model.ref + payload).every(byte => byte === 0), 'a new object is zero');
        if (type === PAIR) model.refs = [null, null];
        if (type === REFS) model.refs = new Array(length).fill(null);
        if (type === BYTES) {
            model.bytes = Uint8Array.from({ length }, () => this.random(256));
            this.memory.bytes(model.ref, length).set(model.bytes);
        }
        return model;
    }

    allocate(type, length) {
        const bytes = 16 + roundUp(types[type].size, 8);
        const top = this.memory.number(WINDOW);
        const full = top + bytes > this.memory.number(WINDOW + 8);
        if (types[type].kind === K_ARRAY || full) return this.heap.allocate(type, length);
        this.memory.setNumber(WINDOW, top + bytes);
        this.memory.words[top / 4 + 2] = type;
        return top + 16;
    }

    setRef(model, k, to) {
        model.refs[k] = to;
        this.memory.setNumber(model.ref + (model.type === PAIR ? [0, 16][k] : k * 8), to ? to.ref : 0);
    }

    step() {
        const r = this.random;
        const kind = r(20);
        const [type, length] = kind < 10 ? [PAIR, 0] : kind < 14 ? [BYTES, r(r(50) ? 200 : 70000)]
            : kind < 17 ? [REFS, r(20)] : [EMPTY, 0];
        const made = this.make(type, length);
        if (!made) return false;
        for (let k = 0; k < made.refs.length; k++) if (r(2)) this.setRef(made, k, this.roots[r(this.roots.length)]);
        this.setRoot(r(this.roots.length), r(30) ? made : null);
        const changed = this.roots[r(this.roots.length)];
        if (changed?.refs.length) this.setRef(changed, r(changed.refs.length), r(3) ? made : null);
        if (changed?.type === PAIR) {
            changed.value = r(2 ** 31);
            this.memory.setNumber(changed.ref + 8, changed.value);
        }
        return true;
    }

    // Everything that the roots reach is as it should be, and no two objects overlap.
    check() {
        const seen = new Set();
        const work = this.roots.filter(model => model);
        while (work.length) {
            const model = work.pop();
            if (seen.has(model)) continue;
            seen.add(model);
            const { words } = this.memory.check();
            assert.equal(words[model.ref / 4 - 2], model.type);
            assert.equal(words[model.ref / 4 - 1], model.length);
            if (model.bytes) assert.deepEqual(this.memory.bytes(model.ref, model.length), model.bytes);
            if (model.type === PAIR) assert.equal(this.memory.number(model.ref + 8), model.value);
            model.refs.forEach((to, k) => {
                const at = model.ref + (model.type === PAIR ? [0, 16][k] : k * 8);
                assert.equal(this.memory.number(at), to ? to.ref : 0);
                if (to) work.push(to);
            });
        }
        const sorted = [...seen].sort((a, b) => a.ref - b.ref);
        let end = 0;
        let live = 0;
        for (const model of sorted) {
            assert(model.ref - 16 >= end, 'objects overlap');
            const bytes = this.heap.objectBytes(model.ref - 16);
            end = model.ref - 16 + bytes;
            live += bytes;
        }
        return live;
    }
}

function compare(seed, options, steps) {
    const p = new Program(seed, options);
    let collections = 0;
    for (let k = 0; k < steps; k++) {
        assert(p.step());
        if (p.heap.stats.collections === collections && k % 997) continue;
        collections = p.heap.stats.collections;
        p.check();
    }
    p.heap.collect();
    assert.equal(p.heap.live, p.check(), 'what is left is what can be reached');
    return p;
}

// What is dropped goes, what is kept stays, in the order of its making or any other.
for (let seed = 1; seed <= 3; seed++) {
    const p = compare(seed, {}, 20000);
    assert(p.heap.stats.collections > 3, 'the heap has to collect');
    assert(p.memory.size < 16 << 20, `${p.memory.size} bytes for little that lives`);
}
for (let seed = 1; seed <= 3; seed++) {
    const p = compare(seed, { stress: true }, 1500);
    assert(p.heap.stats.collections >= 1500 && p.heap.stats.freed > 500);
}

// A list that grows for ever ends at the limit, or where the memory ends; what there was is intact.
for (const [options, max, least] of [[{ limit: 3 << 20 }, 1024, 65000], [{}, 40, 40000]]) {
    const p = new Program(7, options, max);
    p.roots.length = STACK_WORDS + 1; // one exact root
    let n = 0;
    for (;; n++) {
        const made = p.make(PAIR, 0);
        if (!made) break;
        p.setRef(made, 0, p.roots[STACK_WORDS]);
        p.setRoot(STACK_WORDS, made);
    }
    assert(n >= least, `${n} objects of 40 bytes`);
    p.check();
    p.setRoot(STACK_WORDS, null);
    assert(p.make(BYTES, 1 << 20), 'and there is room again');
    assert.equal(p.make(BYTES, 2 ** 31 - 1), null);
}

// Memory that somebody else takes is none of the heap's.
{
    const p = new Program(9, {});
    for (let k = 0; k < 5; k++) {
        const at = p.memory.grow(65536);
        p.memory.bytes(at, 65536).fill(0x55);
        const taken = at;
        for (let n = 0; n < 400; n++) assert(p.make(BYTES, 8000));
        assert(p.memory.bytes(taken, 65536).every(byte => byte === 0x55));
    }
}

// A reference that is none is told under exact roots, and a number that is none is no root.
{
    const p = new Program(11, {});
    const made = p.make(PAIR, 0);
    p.memory.setNumber(STACK, made.ref + 8); // into the middle
    p.heap.collect();
    assert.equal(p.heap.live, 0);
    p.roots[STACK_WORDS] = { ref: made.ref };
    assert.throws(() => p.heap.collect(), /is no object/);
}

// Looking at each new object walks the window once, not once for each.
{
    const p = new Program(12, {});
    const objectBytes = p.heap.objectBytes.bind(p.heap);
    let walked = 0;
    p.heap.objectBytes = at => {
        walked++;
        return objectBytes(at);
    };
    for (let n = 0; n < 2000; n++) assert(p.heap.isLive(p.make(BYTES, 8).ref));
    assert(walked <= 4000, `${walked} objects walked over`);
}
console.log('heap: passed');
