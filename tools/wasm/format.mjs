// What a module says about itself: its custom sections vitrail.code and vitrail.module (core/aot/wasm_meta.h), and the
// names of its functions. Everything is checked here; who uses it need not.

const VERSION = 2;

// A module that is no module, or not one that this loader understands.
export class FormatError extends Error {
    get name() {
        return 'FormatError';
    }
}

// ---- sections ------------------------------------------------------------------------------------------------------

const utf8 = new TextDecoder();

// Reads LEB128 numbers and texts. Anything that does not fit is a FormatError.
export class Reader {
    constructor(bytes, what) {
        this.bytes = bytes;
        this.at = 0;
        this.what = what;
    }

    fail(why) {
        throw new FormatError(`section ${this.what}, byte ${this.at}: ${why}`);
    }

    byte() {
        if (this.at >= this.bytes.length) this.fail('ends too early');
        return this.bytes[this.at++];
    }

    big(signed = false) {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
            if (shift > 63n) this.fail('a number of more than 64 bits');
            const byte = this.byte();
            value |= BigInt(byte & 0x7f) << shift;
            if (byte < 0x80) return signed && byte & 0x40 ? value - (1n << (shift + 7n)) : value;
        }
    }

    // Numbers that JavaScript's hold; `limit`: what it must be below.
    uleb(limit = Number.MAX_SAFE_INTEGER) {
        let value = 0;
        for (let scale = 1; ; scale *= 128) {
            if (scale > 2 ** 49) this.fail('a number that is too large');
            const byte = this.byte();
            value += (byte & 0x7f) * scale;
            if (byte < 0x80) break;
        }
        if (value >= limit) this.fail(`${value} is out of range`);
        return value;
    }

    sleb() {
        return Number(this.big(true));
    }

    // A number of things, each of which takes at least `size` bytes.
    count(size = 1) {
        const n = this.uleb();
        if (n * size > this.bytes.length - this.at) this.fail(`${n} entries do not fit`);
        return n;
    }

    list(read, size = 1) {
        const out = new Array(this.count(size));
        for (let k = 0; k < out.length; k++) out[k] = read(k);
        return out;
    }

    take(n) {
        if (n > this.bytes.length - this.at) this.fail('ends too early');
        this.at += n;
        return this.bytes.subarray(this.at - n, this.at);
    }

    // An index + 1, or 0.
    optional(limit = Number.MAX_SAFE_INTEGER) {
        const x = this.uleb();
        if (x > limit) this.fail(`${x - 1} is out of range`);
        return x ? x - 1 : undefined;
    }

    end() {
        if (this.at !== this.bytes.length) this.fail('bytes behind the end');
    }
}

export function section(module, name) {
    const found = WebAssembly.Module.customSections(module, name);
    if (found.length > 1) throw new FormatError(`several sections ${name}`);
    return found.length ? new Reader(new Uint8Array(found[0]), name) : null;
}

// Names of functions, by number, from the section `name`.
export function readNames(module) {
    const names = new Map();
    const found = WebAssembly.Module.customSections(module, 'name');
    if (!found.length) return names;
    const all = new Reader(new Uint8Array(found[0]), 'name');
    while (all.at < all.bytes.length) {
        const id = all.byte();
        const part = new Reader(all.take(all.uleb()), 'name');
        if (id !== 1) continue;
        for (let n = part.count(2); n > 0; n--) {
            const number = part.uleb();
            names.set(number, utf8.decode(part.take(part.uleb())));
        }
    }
    return names;
}

function readVersion(r) {
    const version = r.uleb();
    if (version !== VERSION) r.fail(`version ${version}; this loader knows ${VERSION}`);
}

// vitrail.code: sites, in the order of their places.
export function readCode(r) {
    readVersion(r);
    const flags = r.uleb();
    const code = { bytecode: (flags & 1) !== 0, polls: (flags & 2) !== 0 };
    code.stackLow = r.uleb();
    code.stackHigh = r.uleb();
    code.heapBase = r.uleb();
    code.places = [];
    code.traps = [];
    code.sources = []; // -1 = none
    code.owners = []; // number in `functions`
    code.functions = []; // { number, func }
    code.byNumber = new Map();
    let number = 0;
    let place = 0;
    for (let n = r.count(3); n > 0; n--) {
        number += r.uleb();
        const func = r.optional();
        code.byNumber.set(number, code.functions.length);
        code.functions.push({ number, func });
        let source = 0;
        for (let k = r.count(3); k > 0; k--) {
            place += r.uleb();
            code.places.push(place);
            code.traps.push(r.uleb(65536));
            source += r.sleb();
            code.sources.push(source - 1);
            code.owners.push(code.functions.length - 1);
        }
    }
    r.end();
    return code;
}

// An object begins with a header below the address that refers to it (core/runtime/heap.h): the collector's word, type,
// length. Its bytes, and how far below the address type and length stand.
export const HEADER = 16;
export const TYPE_BELOW = 8;
export const LENGTH_BELOW = 4;
export const K_STRUCT = 1;
export const K_ARRAY = 2;
export const K_FUNC = 3;
export const KIND_FUNC = 0;
const KIND_GLOBAL = 1;
export const ABI_VITTE = 0;
export const C_STR = 0x10;
export const C_BYTES = 0x11;
export const C_FN = 0x12;
export const TYPE_BASE = 16;
const P_REF = 13;
export const PRIMS = ['void', 'i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'f32', 'f64', 'bool', 'ptr', 'ref'];
const SIZES = [0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1, 8, 8];

function readTypes(r, text) {
    return r.list(() => {
        const kind = r.uleb();
        if (kind === K_STRUCT) {
            const name = r.optional(text.length);
            const type = { kind, name: name === undefined ? undefined : text[name], size: r.uleb(2 ** 32) };
            const words = r.list(() => r.uleb(2 ** 32));
            if (words.length > Math.ceil(type.size / 256)) r.fail('a reference map beyond its struct');
            type.map = []; // offsets of references
            words.forEach((bits, w) => {
                for (let b = 0; b < 32; b++) if (bits >>> b & 1) type.map.push((w * 32 + b) * 8);
            });
            return type;
        }
        if (kind === K_ARRAY) return { kind, elem: r.uleb() };
        if (kind === K_FUNC) return { kind, elem: r.uleb(), params: r.list(() => r.uleb()) };
        return r.fail(`there is no kind of type ${kind}`);
    }, 2);
}

function readFunction(r, text, files) {
    const name = r.optional(text.length);
    const f = { name: name === undefined ? undefined : text[name], sig: r.uleb(), blocks: [], lines: [] };
    let first = 0;
    for (let n = r.count(); n > 0; n--) {
        f.blocks.push(first);
        first += r.uleb();
    }
    let inst = 0;
    for (let n = r.count(4); n > 0; n--) {
        inst += r.uleb();
        f.lines.push({ inst, file: r.uleb(Math.max(files.length, 1)), line: r.uleb(), column: r.uleb() });
    }
    return f;
}

// What compiled code takes for granted: of what it finds at its first argument (core/runtime/vmctx.h) the bytes before
// the cells and the places of fields; the code of a trap whose reason stands there, and that reason of RAISE; and the
// header of objects.
function readAgreement(r) {
    const vm = { size: r.uleb(2 ** 16) };
    const fields = { poll: 1, stackLimit: 1, exitCode: 1, raised: 1, window: 2 }; // words
    for (const [field, words] of Object.entries(fields)) {
        vm[field] = r.uleb();
        if (vm[field] % 8 || vm.size % 8 || vm[field] + words * 8 > vm.size) r.fail(`no place for ${field}`);
    }
    vm.trapExit = r.uleb();
    vm.exitRaise = r.uleb();
    const header = [r.uleb(), r.uleb(), r.uleb()];
    if (`${header}` !== `${[HEADER, TYPE_BELOW, LENGTH_BELOW]}`) r.fail(`objects with another header (${header})`);
    return vm;
}

// vitrail.module. Every index in it is checked here.
export function readModule(r) {
    readVersion(r);
    const vm = readAgreement(r);
    const texts = r.list(() => r.take(r.uleb()));
    const text = texts.map(bytes => utf8.decode(bytes));
    const index = () => r.uleb(text.length);
    const m = { vm, types: readTypes(r, text) };
    m.imports = r.list(() => {
        const kind = r.uleb(2);
        const how = r.uleb();
        return { kind, abi: how, mutable: (how & 1) !== 0, key: `${text[index()]}.${text[index()]}`, type: r.uleb() };
    }, 5);
    m.globals = r.list(() => ({ type: r.uleb(), mutable: (r.uleb() & 1) !== 0, init: r.optional() }), 3);
    m.consts = r.list(() => {
        const tag = r.byte();
        return tag === C_STR ? { tag, bytes: texts[index()] } : { tag, bits: r.big() };
    }, 2);
    m.datas = r.list(() => ({ align: r.uleb(2 ** 32), bytes: r.take(r.uleb()) }), 2);
    m.exports = r.list(() => ({ kind: r.uleb(2), name: text[index()], index: r.uleb() }), 3);
    m.impFuncs = m.imports.filter(i => i.kind === KIND_FUNC);
    m.impGlobals = m.imports.filter(i => i.kind === KIND_GLOBAL);
    readFunctions(r, m, text);
    m.entry = r.optional(m.sigs.length);
    r.end();
    checkModule(r, m);
    return m;
}

// How many functions there are the end of the section tells, but their numbers stand before: of the imports and own.
function readFunctions(r, m, text) {
    m.calls = r.list(() => {
        const table = r.uleb();
        const length = r.uleb();
        return { table, name: length ? utf8.decode(r.take(length - 1)) : undefined };
    }, 2);
    const files = r.list(() => text[r.uleb(text.length)]);
    m.files = files;
    m.funcs = r.list(() => readFunction(r, text, files), 3);
    m.sigs = [...m.impFuncs.map(i => i.type), ...m.funcs.map(f => f.sig)];
    if (m.calls.length !== m.sigs.length) r.fail('another number of functions');
}

function checkModule(r, m) {
    const type = t => {
        if (t >= PRIMS.length && !(t >= TYPE_BASE && t - TYPE_BASE < m.types.length)) r.fail(`there is no type ${t}`);
    };
    const sig = t => {
        if (m.types[t - TYPE_BASE]?.kind !== K_FUNC) r.fail(`type ${t} is no function type`);
    };
    for (const t of m.types) {
        if (t.kind !== K_STRUCT) type(t.elem);
        for (const p of t.params ?? []) type(p);
    }
    m.sigs.forEach(sig);
    for (const i of m.imports) type(i.type);
    for (const g of m.globals) {
        type(g.type);
        if (g.init !== undefined && g.init >= m.consts.length) r.fail(`there is no constant ${g.init}`);
    }
    for (const k of m.consts) {
        if (k.tag === C_BYTES && k.bits >= BigInt(m.datas.length)) r.fail(`there is no data ${k.bits}`);
        if (k.tag === C_FN && k.bits >= BigInt(m.sigs.length)) r.fail(`there is no function ${k.bits}`);
    }
    for (const d of m.datas) if (!d.align || d.align & (d.align - 1)) r.fail(`an alignment of ${d.align}`);
    for (const e of m.exports) {
        const n = e.kind === KIND_FUNC ? m.sigs.length : m.impGlobals.length + m.globals.length;
        if (e.index >= n) r.fail(`export ${e.name} of nothing`);
    }
}

export function isGcRef(m, t) {
    return t === P_REF || (t >= TYPE_BASE && m.types[t - TYPE_BASE].kind !== K_FUNC);
}

export const sizeOf = t => (t < PRIMS.length ? SIZES[t] : 8);

export function typeText(m, t, deep = true) {
    if (t < PRIMS.length) return PRIMS[t];
    const type = m.types[t - TYPE_BASE];
    if (type.kind === K_STRUCT && type.name !== undefined) return type.name;
    if (!deep || type.kind === K_STRUCT) return `type ${t - TYPE_BASE}`;
    if (type.kind === K_ARRAY) return `[${typeText(m, type.elem, false)}]`;
    const result = type.elem ? ` -> ${typeText(m, type.elem, false)}` : '';
    return `fn (${type.params.map(p => typeText(m, p, false)).join(', ')})${result}`;
}
