// The memory of a module, its values, and the heap in it.

import { HEADER, K_ARRAY, K_STRUCT, PRIMS } from './format.mjs';

// ---- values --------------------------------------------------------------------------------------------------------

// A value of JavaScript as WebAssembly takes it. Ranges are the caller's business: what does not fit wraps around.
export function toWasm(m, t, value) {
    switch (t < PRIMS.length ? PRIMS[t] : 'ref') {
        case 'i64':
        case 'u64':
        case 'ptr': return BigInt.asIntN(64, BigInt(value));
        case 'f32':
        case 'f64': return Number(value);
        case 'bool': return value ? 1 : 0;
        case 'ref': return value === null || value === undefined ? 0n : BigInt.asIntN(64, BigInt(value));
        case 'u8': return value & 0xff;
        case 'u16': return value & 0xffff;
        case 'i8': return value << 24 >> 24;
        case 'i16': return value << 16 >> 16;
        default: return value | 0;
    }
}

// And back: what compiled code leaves above a narrow value does not count. References and functions are addresses as
// BigInt, or null.
export function fromWasm(m, t, value) {
    switch (t < PRIMS.length ? PRIMS[t] : 'ref') {
        case 'void': return undefined;
        case 'i64': return BigInt.asIntN(64, value);
        case 'u64':
        case 'ptr': return BigInt.asUintN(64, value);
        case 'f32':
        case 'f64': return value;
        case 'bool': return (value & 0xff) !== 0;
        case 'ref': return value === 0n ? null : BigInt.asUintN(64, value);
        case 'u8': return value & 0xff;
        case 'u16': return value & 0xffff;
        case 'u32': return value >>> 0;
        case 'i8': return value << 24 >> 24;
        case 'i16': return value << 16 >> 16;
        default: return value | 0;
    }
}

// ---- memory --------------------------------------------------------------------------------------------------------

const PAGE = 65536;
const WORD = 2 ** 32;
export const roundUp = (x, to) => Math.ceil(x / to) * to;

// Addresses as numbers. Growing makes the buffer another one and leaves views of the old one without elements.
export class Memory {
    constructor(memory) {
        this.memory = memory;
        this.refresh();
    }

    refresh() {
        this.buffer = this.memory.buffer;
        this.words = new Uint32Array(this.buffer);
        this.all = new Uint8Array(this.buffer);
        this.view = new DataView(this.buffer);
    }

    check() {
        if (this.all.length === 0) this.refresh();
        return this;
    }

    get size() {
        return this.check().buffer.byteLength;
    }

    number(at) {
        this.check();
        return this.words[at / 4] + this.words[at / 4 + 1] * WORD;
    }

    setNumber(at, x) {
        this.check();
        this.words[at / 4] = x % WORD;
        this.words[at / 4 + 1] = Math.floor(x / WORD);
    }

    // A value of bytecode in a cell or field of its size.
    load(m, t, at) {
        const v = this.check().view;
        switch (t < PRIMS.length ? PRIMS[t] : 'ref') {
            case 'void': return undefined;
            case 'f32': return v.getFloat32(at, true);
            case 'f64': return v.getFloat64(at, true);
            case 'bool':
            case 'i8':
            case 'u8': return fromWasm(m, t, v.getUint8(at));
            case 'i16':
            case 'u16': return fromWasm(m, t, v.getUint16(at, true));
            case 'i32':
            case 'u32': return fromWasm(m, t, v.getInt32(at, true));
            default: return fromWasm(m, t, v.getBigInt64(at, true));
        }
    }

    store(m, t, at, value) {
        const v = this.check().view;
        const x = t ? toWasm(m, t, value) : 0;
        switch (t < PRIMS.length ? PRIMS[t] : 'ref') {
            case 'void': break;
            case 'f32': v.setFloat32(at, x, true); break;
            case 'f64': v.setFloat64(at, x, true); break;
            case 'bool':
            case 'i8':
            case 'u8': v.setUint8(at, x); break;
            case 'i16':
            case 'u16': v.setUint16(at, x, true); break;
            case 'i32':
            case 'u32': v.setInt32(at, x, true); break;
            default: v.setBigInt64(at, x, true); break;
        }
    }

    bytes(at, n) {
        if (at + n > this.size) throw new RangeError(`no memory at ${at}`);
        return this.all.subarray(at, at + n);
    }

    // Grows by at least so many bytes; the address of the new ones, or -1.
    grow(bytes) {
        const pages = Math.ceil(bytes / PAGE);
        const before = this.size;
        try {
            // Numbers or BigInts, by the age of the engine.
            try {
                this.memory.grow(pages);
            } catch (e) {
                if (!(e instanceof TypeError)) throw e;
                this.memory.grow(BigInt(pages));
            }
        } catch (e) {
            if (e instanceof RangeError) return -1;
            throw e;
        }
        this.refresh();
        return before;
    }
}

// ---- the heap ------------------------------------------------------------------------------------------------------
//
// A mark-sweep collector that moves nothing: compiled code keeps references in locals, which nobody can look into. What
// lives across a call that may collect it also stores to its frame on the shadow stack; which words there are
// references is not known, so every word that could be one counts (H.-J. Boehm, M. Weiser, "Garbage Collection in an
// Uncooperative Environment", Software: Practice and Experience 18(9), 1988). All other references are known: cells,
// fields by the maps of their types, elements.
//
// Where objects start, one bit for each 8 bytes says; a second such map has the marks, and becomes the first one when a
// collection ends. What lies between marked objects are gaps, which wait in bins by the logarithm of their size. So a
// collection's work is linear in the live objects and in the maps. Compiled code allocates by itself in a window: a gap
// that was filled with zeros; what it put there is found, by the sizes of the objects, when the window is closed.
//
//     |obj|obj| gap |obj|  window: obj obj top-> . . . end |  gap  |
//
// After a collection that left L bytes the next one comes when max(1 MiB, L) more are used, as natively. Under stress
// every safepoint collects, what is freed is overwritten, and its place is used again as late as possible.

const SLACK_MIN = 1 << 20;
const WINDOW_MAX = 1 << 18;
const GAP_MIN = 64;
const ALONE_FROM = 1 << 14; // larger objects do not go into windows
const MAX_LIMIT = 2 ** 30;
const FREED = 0xdb;

export class Heap {
    // types: { kind, size, map } of structs, { kind, size, refs } of arrays (bytes of an element, whether they are
    // references). window: the address of top and end. roots(exact, maybe): calls exact(reference) for every root that
    // is one or 0, maybe(word) for what could be.
    constructor(memory, types, { base, window, roots, limit = MAX_LIMIT, stress = false }) {
        this.memory = memory;
        this.types = types;
        this.base = roundUp(base, 16);
        this.end = this.base; // of the memory that is ours
        this.high = this.base; // no object has ever been above
        this.window = window;
        this.roots = roots;
        this.limit = limit;
        this.stress = stress;
        this.live = 0; // bytes after the last collection
        this.used = 0; // allocated since then, what is in the window not counted
        this.from = 0; // start of the window, 0 = it is closed
        this.found = 0; // and up to where its objects are known
        this.holes = []; // between base and end, not ours
        this.starts = new Uint32Array(0);
        this.marks = new Uint32Array(0);
        this.bins = Array.from({ length: 53 }, () => []);
        this.gaps = []; // under stress instead: in the order of their addresses
        this.cursor = 0;
        this.work = [];
        this.stats = { collections: 0, freed: 0 };
        if (memory.size > this.base) this.extend(memory.size);
    }

    // ---- maps

    extend(to) {
        const from = this.end;
        this.end = to - to % 8;
        const words = Math.ceil((this.end - this.base) / 256);
        if (words > this.starts.length) {
            const room = Math.max(words, Math.ceil(this.starts.length * 1.5));
            for (const map of ['starts', 'marks']) {
                const larger = new Uint32Array(room);
                larger.set(this[map]);
                this[map] = larger;
            }
        }
        this.addGap(from, this.end);
    }

    setStart(at) {
        const unit = (at - this.base) / 8;
        this.starts[Math.floor(unit / 32)] |= 1 << (unit & 31);
    }

    // Words of the maps that are in use.
    mapped() {
        return Math.ceil((this.high - this.base) / 256);
    }

    isObject(ref) {
        const at = ref - HEADER;
        if (ref % 8 || at < this.base || at >= this.end) return false;
        const unit = (at - this.base) / 8;
        return (this.starts[Math.floor(unit / 32)] >>> (unit & 31) & 1) !== 0;
    }

    // For the host, whose references may stand in the window.
    isLive(ref) {
        if (this.from && ref > this.from && ref <= this.until && !this.isObject(ref)) this.findStarts();
        return this.isObject(ref);
    }

    objectBytes(at) {
        const w = this.memory.words;
        const type = this.types[w[at / 4 + 2]];
        return HEADER + roundUp(type.kind === K_ARRAY ? type.size * w[at / 4 + 3] : type.size, 8);
    }

    // ---- gaps

    addGap(from, to) {
        for (const hole of this.holes) {
            if (hole.from >= to || hole.to <= from) continue;
            if (hole.from > from) this.addGap(from, hole.from);
            from = hole.to;
        }
        if (to - from < GAP_MIN) return;
        const gap = { at: from, size: to - from };
        if (this.stress) this.gaps.push(gap);
        else this.bins[Math.floor(Math.log2(gap.size))].push(gap);
    }

    takeGap(bytes) {
        if (this.stress) return this.takeNext(bytes);
        for (let k = Math.ceil(Math.log2(bytes)); k < this.bins.length; k++)
            if (this.bins[k].length) return this.bins[k].pop();
        const last = this.bins[Math.floor(Math.log2(bytes))];
        for (let k = last.length - 1; k >= 0 && k >= last.length - 16; k--)
            if (last[k].size >= bytes) return last.splice(k, 1)[0];
        return null;
    }

    // The next one behind the cursor, around the end.
    takeNext(bytes) {
        let first = -1;
        for (let k = 0; k < this.gaps.length; k++) {
            const gap = this.gaps[k];
            if (gap.size < bytes) continue;
            if (first < 0) first = k;
            const at = Math.max(gap.at, this.cursor);
            if (gap.at + gap.size - at < bytes) continue;
            first = k;
            break;
        }
        if (first < 0) return null;
        const [gap] = this.gaps.splice(first, 1);
        const skip = Math.max(this.cursor - gap.at, 0);
        const taken = gap.size - skip >= bytes && skip < gap.size ? { at: gap.at + skip, size: gap.size - skip } : gap;
        this.cursor = taken.at + bytes;
        return taken;
    }

    // ---- the window

    showWindow(top, end) {
        this.memory.setNumber(this.window, top);
        this.memory.setNumber(this.window + 8, end);
    }

    inWindow() {
        return this.from ? this.memory.number(this.window) - this.from : 0;
    }

    // Of the objects in the window that are new since the last time.
    findStarts() {
        const top = this.memory.number(this.window);
        for (; this.found < top; this.found += this.objectBytes(this.found)) this.setStart(this.found);
    }

    closeWindow() {
        if (!this.from) return;
        const top = this.memory.number(this.window);
        const end = this.until;
        this.findStarts();
        this.used += top - this.from;
        this.from = 0;
        this.showWindow(0, 0);
        this.addGap(top, end);
    }

    // Bytes that may be used until the next collection is due.
    room() {
        const slack = Math.max(SLACK_MIN, this.live);
        return Math.min(this.limit - this.live, slack) - this.used - this.inWindow();
    }

    // ---- allocation

    // A zeroed object: its reference, 0 = out of memory even after a collection.
    allocate(number, length) {
        const memory = this.memory.check();
        const type = this.types[number];
        const bytes = HEADER + roundUp(type.kind === K_ARRAY ? type.size * length : type.size, 8);
        if (bytes > this.limit) {
            this.collect();
            return 0;
        }
        const at = this.place(bytes);
        if (!at) return 0;
        memory.words[at / 4 + 2] = number;
        memory.words[at / 4 + 3] = length;
        return at + HEADER;
    }

    place(bytes) {
        const due = this.stress || this.room() < bytes;
        if (due) this.collect();
        if (due && this.live + bytes > this.limit) return 0;
        const at = this.find(bytes);
        if (at) return at;
        if (this.grow(bytes)) return this.find(bytes);
        if (due) return 0;
        this.collect();
        return this.find(bytes);
    }

    find(bytes) {
        if (this.from && !this.stress && this.until - this.from - this.inWindow() >= bytes) return this.bump(bytes);
        const alone = this.stress || bytes >= ALONE_FROM;
        // Rather a window in which something fits.
        const gap = (alone ? null : this.takeGap(Math.max(bytes, 256))) ?? this.takeGap(bytes);
        if (!gap) return 0;
        if (alone) {
            this.addGap(gap.at + bytes, gap.at + gap.size);
            this.memory.all.fill(0, gap.at, gap.at + bytes);
            this.setStart(gap.at);
            this.high = Math.max(this.high, gap.at + bytes);
            this.used += bytes;
            return gap.at;
        }
        this.closeWindow();
        const size = Math.min(gap.size, Math.max(bytes, Math.min(WINDOW_MAX, this.room()) & -8));
        this.addGap(gap.at + size, gap.at + gap.size);
        this.memory.all.fill(0, gap.at, gap.at + size);
        this.from = this.found = gap.at;
        this.until = gap.at + size;
        this.high = Math.max(this.high, this.until);
        this.showWindow(this.from, this.until);
        return this.bump(bytes);
    }

    bump(bytes) {
        const at = this.memory.number(this.window);
        this.memory.setNumber(this.window, at + bytes);
        return at;
    }

    // More memory, for `bytes` and then some; what others took meanwhile is a hole.
    grow(bytes) {
        const least = bytes + GAP_MIN;
        for (const size of [Math.max(least, SLACK_MIN, this.live / 2), least]) {
            const before = this.memory.grow(size);
            if (before < 0) continue;
            if (before > this.end) this.holes.push({ from: this.end, to: before });
            this.end = Math.max(this.end, before);
            this.extend(this.memory.size);
            return true;
        }
        return false;
    }

    // ---- collection

    collect() {
        if (this.high === this.base) return; // nothing was ever allocated
        this.memory.check();
        this.closeWindow();
        for (const bin of this.bins) bin.length = 0;
        this.gaps = [];
        this.work.length = 0;
        this.marks.fill(0, 0, this.mapped());
        this.roots(ref => this.visit(ref), word => this.isObject(word) && this.mark(word));
        while (this.work.length) this.scan(this.work.pop());
        if (this.stress) this.overwrite();
        this.sweep();
        this.stats.collections++;
    }

    visit(ref) {
        if (!ref) return;
        if (!this.isObject(ref)) throw new Error(`heap: ${ref} is no object`);
        this.mark(ref);
    }

    mark(ref) {
        const unit = (ref - HEADER - this.base) / 8;
        const word = Math.floor(unit / 32);
        const bit = 1 << (unit & 31);
        if (this.marks[word] & bit) return;
        this.marks[word] |= bit;
        this.work.push(ref);
    }

    scan(ref) {
        const { words } = this.memory;
        const type = this.types[words[ref / 4 - 2]];
        if (type.kind === K_STRUCT) {
            for (const offset of type.map) this.visit(words[(ref + offset) / 4] + words[(ref + offset) / 4 + 1] * WORD);
        } else if (type.refs) {
            const first = ref / 4;
            const last = first + words[first - 1] * 2;
            for (let k = first; k < last; k += 2) this.visit(words[k] + words[k + 1] * WORD);
        }
    }

    sweep() {
        let before = this.base;
        let live = 0;
        const words = this.mapped();
        for (let w = 0; w < words; w++) {
            for (let bits = this.marks[w]; bits; bits &= bits - 1) {
                const at = this.base + (w * 32 + 31 - Math.clz32(bits & -bits)) * 8;
                const bytes = this.objectBytes(at);
                if (at > before) this.addGap(before, at);
                before = at + bytes;
                live += bytes;
            }
        }
        this.addGap(before, this.end);
        [this.starts, this.marks] = [this.marks, this.starts];
        this.live = live;
        this.used = 0;
    }

    overwrite() {
        const words = this.mapped();
        for (let w = 0; w < words; w++) {
            for (let bits = this.starts[w] & ~this.marks[w]; bits; bits &= bits - 1) {
                const at = this.base + (w * 32 + 31 - Math.clz32(bits & -bits)) * 8;
                this.memory.all.fill(FREED, at, at + this.objectBytes(at));
                this.stats.freed++;
            }
        }
    }
}
