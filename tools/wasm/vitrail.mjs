// Runs the WebAssembly modules that Vitrail makes: functions of IR texts, and compiled modules of Vitte bytecode with
// their runtime (instances, heap, traps, imports). For Node and browsers; nothing else is needed.
//
//     import { instantiate } from './vitrail.mjs';
//     const program = await instantiate(bytes, { stdout: console.log, imports: { 'host.add': (a, b) => a + b } });
//     program.exports.fib(30n);    // i64 and u64 are BigInt, other integers and floats numbers, bool is boolean
//     program.run();               // the entry function
//
// What went wrong inside the module arrives as a Trap: code, name, diagnostic, frames, report.
//
// How it works. A module has two custom sections (core/aot/wasm_meta.h): vitrail.code says which instructions call and
// trap, by their places in the file, which is what Error.stack tells of WebAssembly frames; vitrail.module has the
// tables from which an instance of bytecode is made, as core/runtime/instance.c does it: the structure that compiled
// code finds at its first argument (core/runtime/vmctx.h), cells, blobs and constant objects, all in the module's
// memory behind its own data. Addresses are numbers here (memories are far below 2^53 bytes), BigInts at the border.

import {
    ABI_VITTE, C_BYTES, C_FN, C_STR, FormatError, K_ARRAY, KIND_FUNC, LENGTH_BELOW, PRIMS, TYPE_BASE, TYPE_BELOW,
    isGcRef, readCode, readModule, readNames, section, sizeOf, typeText,
} from './format.mjs';
import { standard, wasmFunction } from './library.mjs';
import { Heap, Memory, fromWasm, roundUp, toWasm } from './heap.mjs';

export { FormatError };

// ---- traps ---------------------------------------------------------------------------------------------------------

// name, diagnostic, meaning by the codes of bytecode (core/bytecode/traps.h).
const TRAPS = [
    null,
    ['DIV_ZERO', 'E7001', 'division by zero'],
    ['OVERFLOW', 'E7002', 'result not representable'],
    ['BOUNDS', 'E7003', 'array index out of bounds'],
    ['NULL', 'E7004', 'null reference'],
    ['UNREACHABLE', 'E7005', 'unreachable code reached'],
    ['BAD_CAST', 'E7006', 'object has another type'],
    ['BAD_CONV', 'E7007', 'NaN converted to an integer'],
    ['STACK', 'E7008', 'call depth exhausted'],
    ['OOM', 'E7009', 'heap exhausted'],
    ['BAD_LEN', 'E7010', 'array length out of range'],
    ['LINK', 'E7011', 'call of an unresolved import'],
    ['INTERRUPT', 'E7012', 'interrupted by the host'],
];
const T_NULL = 4;
const T_STACK = 8;
const T_LINK = 11;
const T_INTERRUPT = 12;
const USER_DIAGNOSTIC = 'E7100';

// Codes of IR traps (md/ir.md), and what they are in bytecode.
const IR_TRAPS = { 251: 'stk_ovf', 252: 'int_ovf', 253: 'heap_oob', 254: 'int_divz', 255: 'bad_toint' };
const IR_TO_BYTECODE = { 251: T_STACK, 252: 2, 254: 1, 255: 7 };
const IR_STACK = 251;

const SHOWN_FRAMES = 64;

// A trap of the module: thrown by exported functions. Host functions may throw one, too: `throw new Trap(300)`.
//     code        number; of an object that was raised 65536
//     name        'DIV_ZERO'; of user codes 'TRAP', of IR's codes 'int_divz', 'user1'
//     diagnostic  'E7001', or undefined for code from IR
//     frames      innermost first: { function, block, instruction, file, line, column }, what is known of them
//     depth       how many frames there were; frames has the innermost 64
//     object      the address of the object that was raised
//     report      text for people, as `vitrail run` writes it
export class Trap extends Error {
    constructor(code, kind = 'bytecode') {
        const [name, diagnostic, meaning] = describe(code, kind);
        super(meaning);
        Object.defineProperty(this, 'name', { value: name, configurable: true, writable: true });
        this.code = code;
        this.diagnostic = diagnostic;
        this.frames = undefined;
        this.depth = 0;
        this.head = diagnostic === undefined ? `trap ${name}`
            : code < TRAPS.length ? `trap ${code} ${name} ${diagnostic}: ${meaning}`
                : `trap ${code} ${diagnostic}: ${meaning}`;
    }

    get report() {
        let text = this.head + '\n';
        for (const f of this.frames ?? []) {
            text += `    at ${f.function}`;
            if (f.block !== undefined) text += `, block ${f.block}, instruction ${f.instruction}`;
            if (f.line) text += `, ${f.file}:${f.line}${f.column ? ':' + f.column : ''}`;
            text += '\n';
        }
        const more = this.depth - (this.frames ?? []).length;
        // How deep is too deep depends on the engine, so the number says nothing there.
        const deep = this.code === T_STACK || this.name === 'stk_ovf';
        if (more > 0) text += deep ? '    and more\n' : `    and ${more} more\n`;
        return text;
    }
}

function describe(code, kind) {
    if (kind === 'ir') return [IR_TRAPS[code] ?? `user${code}`, undefined, `trap ${IR_TRAPS[code] ?? 'user' + code}`];
    if (TRAPS[code]) return TRAPS[code];
    return ['TRAP', USER_DIAGNOSTIC, `user trap ${code}`];
}

// ---- frames --------------------------------------------------------------------------------------------------------

const FRAME = /wasm-function\[(\d+)\](?::0x([0-9a-f]+))?/;

// The WebAssembly frames of the innermost run in Error.stack, innermost first: { number, place }. Frames of host
// functions come before them, the caller's behind.
function wasmFrames(stack) {
    const frames = [];
    for (const line of String(stack).split('\n')) {
        const found = FRAME.exec(line);
        if (!found && frames.length) break;
        if (found) frames.push({ number: Number(found[1]), place: found[2] ? parseInt(found[2], 16) : -1 });
    }
    return frames;
}

// The sites of an instruction: a run [first, end) in code.places.
function sitesAt(code, place) {
    let low = 0;
    let high = code.places.length;
    while (low < high) {
        const mid = (low + high) >> 1;
        if (code.places[mid] < place) low = mid + 1;
        else high = mid;
    }
    let end = low;
    while (end < code.places.length && code.places[end] === place) end++;
    return [low, end];
}

// The last entry of a rising list that is at most x; -1 = none.
function lastAtMost(list, x, key) {
    let low = 0;
    let high = list.length;
    while (low < high) {
        const mid = (low + high) >> 1;
        if (key(list[mid]) <= x) low = mid + 1;
        else high = mid;
    }
    return low - 1;
}

// What engines call the traps of instructions, as codes of IR.
const MESSAGES = [
    [/divi[ds].*by zero/i, [254]],
    [/divide result unrepresentable|integer overflow|division overflow/i, [252]],
    [/float unrepresentable|invalid conversion|trunc/i, [255, 252]],
    [/memory|index out of bounds/i, [253]],
];
const isMemory = message => /memory|index out of bounds/i.test(message) && !/table/i.test(message);
// V8, JavaScriptCore; SpiderMonkey.
const isOverflow = e => (e instanceof RangeError && /call stack/i.test(e.message)) ||
    (e?.name === 'InternalError' && /recursion/i.test(e.message));

// ---- modules -------------------------------------------------------------------------------------------------------

// The smallest modules with a memory of 64 bits, and with a tail call.
const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const WANTED = {
    'memory64': [...HEAD, 5, 3, 1, 4, 1],
    'return-call': [...HEAD, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b],
};
const lacking = () => Object.keys(WANTED).filter(what => !WebAssembly.validate(new Uint8Array(WANTED[what])));

// Makes the engine take the modules: older versions of Node want to be asked. Throws when it does not.
export async function prepare() {
    let missing = lacking();
    if (missing.length && globalThis.process?.versions?.node) {
        const v8 = await import('node:v8');
        for (const what of missing) v8.setFlagsFromString(`--experimental-wasm-${what}`);
        missing = lacking();
    }
    if (missing.length) throw new Error(`this engine runs no WebAssembly with ${missing.join(' and ')}`);
}

// Runs `body` inside the module: what it throws becomes a Trap, and the shadow stack is as before.
class Machine {
    constructor(module) {
        const r = section(module, 'vitrail.code');
        if (!r) throw new FormatError('this module has no section vitrail.code: Vitrail did not make it');
        this.code = readCode(r);
        this.names = undefined;
        this.module = module;
        this.kind = this.code.bytecode ? 'bytecode' : 'ir';
        this.depth = 0;
    }

    start(instance) {
        const { memory, __stack_pointer: pointer } = instance.exports;
        if (!(memory instanceof WebAssembly.Memory)) throw new FormatError('the module exports no memory');
        this.memory = new Memory(memory);
        this.pointer = pointer;
    }

    sp() {
        return this.pointer ? Number(BigInt.asUintN(64, this.pointer.value)) : this.code.stackHigh;
    }

    run(body) {
        const limit = Error.stackTraceLimit;
        const sp = this.pointer?.value;
        this.depth++;
        try {
            Error.stackTraceLimit = Infinity;
            return body();
        } catch (e) {
            throw this.trapOf(e);
        } finally {
            this.depth--;
            Error.stackTraceLimit = limit;
            if (this.pointer) this.pointer.value = sp;
        }
    }

    functionName(number, func) {
        if (func !== undefined && this.bytecode) {
            const f = this.bytecode.funcs[func - this.bytecode.impFuncs.length];
            return f?.name ?? `#${func}`;
        }
        this.names ??= readNames(this.module);
        return this.names.get(number) ?? `#${number}`;
    }

    // What is thrown instead of e.
    trapOf(e) {
        if (e instanceof Trap) {
            if (e.frames === undefined) this.tellFrames(e, wasmFrames(e.stack));
            return e;
        }
        const overflow = isOverflow(e);
        if (!overflow && !(e instanceof WebAssembly.RuntimeError)) return e;
        const frames = wasmFrames(e.stack);
        if (!frames.length) return e;
        const sp = this.sp();
        const outside = sp < this.code.stackLow || sp > this.code.stackHigh;
        const deep = overflow || (outside && isMemory(e.message));
        const stack = this.kind === 'ir' ? IR_STACK : T_STACK;
        const code = deep ? stack : this.instructionTrap(frames[0].place, e.message);
        if (!code) return e;
        const trap = new Trap(code, this.kind);
        trap.cause = e;
        this.tellFrames(trap, frames);
        return trap;
    }

    // Why an instruction trapped: of the site's codes the one that the message tells.
    instructionTrap(place, message) {
        const [first, end] = sitesAt(this.code, place);
        const codes = this.code.traps.slice(first, end).filter(code => code);
        const own = this.kind === 'ir' ? code => code : code => IR_TO_BYTECODE[code] ?? 0;
        const told = (MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? []).map(own);
        return codes.find(code => told.includes(code)) ?? codes[0] ?? told[0] ?? 0;
    }

    // Thunks and the wrappers of imports are not the program's frames. Nor is a function that found no room: that is a
    // trap of the call.
    tellFrames(trap, frames) {
        const deep = trap.code === (this.kind === 'ir' ? IR_STACK : T_STACK);
        trap.frames = [];
        trap.depth = 0;
        frames.forEach(({ number, place }) => {
            const [first, end] = sitesAt(this.code, place);
            const source = first < end ? this.code.sources[first] : -1;
            // Where the engine or the code itself looks for room is no place in the source.
            if (deep && !trap.depth && source < 0) return;
            const owner = this.code.byNumber.get(number);
            const func = owner === undefined ? undefined : this.code.functions[owner].func;
            if (this.bytecode && !(func >= this.bytecode.impFuncs.length)) return;
            const name = trap.frames.length < SHOWN_FRAMES ? this.functionName(number, func) : '';
            if (!this.bytecode && name.startsWith('entry ')) return;
            trap.depth++;
            if (trap.frames.length >= SHOWN_FRAMES) return;
            const frame = { function: name };
            trap.frames.push(frame);
            if (this.bytecode) this.tellPlace(frame, func - this.bytecode.impFuncs.length, Math.max(source, 0));
            else if (source >= 0) frame.instruction = source;
        });
        trap.message += trap.frames.length ? ` in ${trap.frames[0].function}` : '';
    }

    tellPlace(frame, own, inst) {
        const f = this.bytecode.funcs[own];
        frame.block = Math.max(lastAtMost(f.blocks, inst, first => first), 0);
        frame.instruction = inst;
        const line = f.lines[lastAtMost(f.lines, inst, entry => entry.inst)];
        if (!line?.line) return;
        frame.file = this.bytecode.files[line.file];
        frame.line = line.line;
        if (line.column) frame.column = line.column;
    }
}

// ---- instances of bytecode -----------------------------------------------------------------------------------------

const CLOCK_EVERY = 256; // polls between looks at the clock

// The value type of WebAssembly that a type of bytecode has.
const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const codeOf = t => ({ f32: F32, f64: F64 })[PRIMS[t]] ?? (sizeOf(t) === 8 ? I64 : I32);

class Instance {
    constructor(machine, options) {
        this.machine = machine;
        this.options = options;
        const r = section(machine.module, 'vitrail.module');
        if (!r) throw new FormatError('a module of bytecode without the section vitrail.module');
        this.m = machine.bytecode = readModule(r);
        if (options.timeout) this.needPolls();
        this.interrupted = false;
        this.until = Infinity;
        this.polls = 0;
        this.pins = new Map();
        this.calls = this.m.impFuncs.map(i => (i.abi === ABI_VITTE ? this.native(i) : undefined));
    }

    // What compiled code imports from "vitrail".
    helpers() {
        return {
            trap: code => this.trap(code),
            rt_alloc_struct: (vm, type) => BigInt(this.heap.allocate(type, 0)),
            rt_alloc_array: (vm, type, length) => BigInt(this.heap.allocate(type, length >>> 0)),
            rt_poll: () => this.poll(),
            rt_import: (vm, func, args, result) => this.callImport(func, Number(args), Number(result)),
            rt_read_barrier: (vm, slot) => BigInt(this.memory.number(Number(slot))),
            rt_write_barrier: () => undefined,
            ...standard({ bytes: (at, n) => this.memory.bytes(at, n) }),
        };
    }

    trap(code) {
        if (code !== this.m.vm.trapExit) throw new Trap(IR_TO_BYTECODE[code] ?? code);
        const exit = this.memory.number(this.vm + this.m.vm.exitCode);
        if (exit !== this.m.vm.exitRaise) throw new Trap(exit);
        const object = this.memory.number(this.vm + this.m.vm.raised);
        const trap = new Trap(exit);
        trap.name = 'RAISE';
        trap.diagnostic = undefined;
        trap.object = object ? BigInt(object) : null;
        trap.head = 'raised null';
        if (object) trap.head = `raised an object of type ${this.typeName(object)}`;
        trap.message = trap.head;
        throw trap;
    }

    typeName(object) {
        return typeText(this.m, this.memory.check().words[(object - TYPE_BELOW) / 4] + TYPE_BASE);
    }

    poll() {
        if (!this.heap.stress && this.until === Infinity) this.setPoll(false);
        if (this.until !== Infinity && this.polls++ % CLOCK_EVERY === 0 && performance.now() >= this.until) {
            this.interrupted = true;
        }
        if (this.interrupted) {
            this.interrupted = false;
            return T_INTERRUPT;
        }
        if (this.heap.stress) this.heap.collect();
        return 0;
    }

    setPoll(on) {
        this.memory.setNumber(this.vm + this.m.vm.poll, on ? 1 : 0);
    }

    needPolls() {
        if (!this.machine.code.polls) throw new TypeError('a module that is to be interrupted is built with --polls');
    }

    // What runs traps INTERRUPT at its next safepoint; if nothing runs, the next run does.
    interrupt() {
        this.needPolls();
        this.interrupted = true;
        this.setPoll(true);
    }

    // ---- imports

    find(key) {
        const { imports = {}, natives = {} } = this.options;
        return imports[key] ?? natives[key];
    }

    native(i) {
        const given = this.find(i.key);
        if (given !== undefined) return { call: given };
        const sig = this.m.types[i.type - TYPE_BASE];
        const array = this.m.types[sig.params[0] - TYPE_BASE];
        const text = sig.params.length === 1 && !sig.elem && array?.kind === K_ARRAY && PRIMS[array.elem] === 'u8';
        const count = !sig.params.length && ['i64', 'u64'].includes(PRIMS[sig.elem]);
        if (i.key === 'io.print' && text) return { call: ref => this.print(ref, false) };
        if (i.key === 'io.println' && text) return { call: ref => this.print(ref, true) };
        if (i.key === 'time.now_ms' && count) return { call: () => BigInt(Date.now()) };
        return undefined;
    }

    print(ref, line) {
        if (ref === null) throw new Trap(T_NULL);
        this.options.write?.(this.bytes(ref));
        if (line) this.options.write?.(new Uint8Array([10]));
    }

    // Arguments are cells; a reference is one until the function returns, and longer when it is pinned.
    callImport(func, args, result) {
        const found = this.calls[func];
        if (!found) throw new Trap(T_LINK);
        const sig = this.m.types[this.m.sigs[func] - TYPE_BASE];
        const values = sig.params.map((t, k) => this.memory.load(this.m, t, args + k * 8));
        const value = found.call(...values);
        if (sig.elem) this.memory.store(this.m, sig.elem, result, value);
        return 0;
    }

    // ---- memory

    start(instance) {
        const { m, machine } = this;
        this.instance = instance;
        this.memory = machine.memory;
        this.table = instance.exports.__indirect_function_table;
        const cells = {};
        cells.globals = 0;
        cells.consts = m.impGlobals.length + m.globals.length;
        cells.datas = cells.consts + m.consts.length;
        cells.imports = cells.datas + m.datas.length;
        this.cells = cells;
        this.vm = roundUp(machine.code.heapBase, 16);
        const externs = this.vm + m.vm.size + (cells.imports + m.impFuncs.length) * 8;
        // For callCells(): arguments, the result.
        this.words = externs + m.impGlobals.length * 8;
        const most = m.sigs.reduce((n, sig) => Math.max(n, m.types[sig - TYPE_BASE].params.length), 0);
        const end = this.placeData(this.words + (most + 2) * 8);
        if (end > this.memory.size && this.memory.grow(end - this.memory.size) < 0)
            throw new RangeError('no memory for the instance');
        this.placeImports(externs);
        for (let k = 0; k < m.datas.length; k++) {
            this.memory.setNumber(this.cell('datas', k), this.places[k]);
            this.memory.bytes(this.places[k], m.datas[k].bytes.length).set(m.datas[k].bytes);
        }
        this.memory.setNumber(this.vm + m.vm.stackLimit, machine.code.stackLow);
        this.makeHeap(end);
        this.makeConstants();
        this.makeGlobals();
        if (this.heap.stress) this.setPoll(true);
    }

    cell(kind, k) {
        return this.vm + this.m.vm.size + (this.cells[kind] + k) * 8;
    }

    // Where the blobs go, one byte at least each; returns where they end.
    placeData(at) {
        this.places = this.m.datas.map(({ align, bytes }) => {
            const place = roundUp(at, align);
            at = place + Math.max(bytes.length, 1);
            return place;
        });
        return at;
    }

    placeImports(externs) {
        this.m.impGlobals.forEach((g, k) => {
            const given = this.find(g.key);
            if (given === undefined) throw new WebAssembly.LinkError(`imported global ${g.key} is not defined`);
            this.memory.setNumber(this.cell('globals', k), externs + k * 8);
            this.memory.store(this.m, g.type, externs + k * 8, given);
        });
        this.m.impFuncs.forEach((i, k) => {
            const given = i.abi === ABI_VITTE ? undefined : this.find(i.key);
            if (given !== undefined) this.memory.setNumber(this.cell('imports', k), this.pointerTo(i, given));
        });
    }

    // The number in the function table of a JavaScript function that C code is expected to be.
    pointerTo(i, given) {
        const sig = this.m.types[i.type - TYPE_BASE];
        const call = (...args) => {
            const value = given(...args.map((arg, k) => fromWasm(this.m, sig.params[k], arg)));
            return sig.elem ? toWasm(this.m, sig.elem, value) : undefined;
        };
        if (!this.table) throw new WebAssembly.LinkError(`${i.key}: the module has no function table`);
        const f = wasmFunction(call, sig.params.map(codeOf), sig.elem ? [codeOf(sig.elem)] : []);
        const number = this.table.grow(1);
        this.table.set(number, f);
        return number;
    }

    makeHeap(base) {
        const { m } = this;
        const types = m.types.map(t => {
            return t.kind === K_ARRAY ? { kind: t.kind, size: sizeOf(t.elem), refs: isGcRef(m, t.elem) } : t;
        });
        const exact = [this.vm + m.vm.raised];
        for (let g = 0; g < this.cells.consts; g++) if (isGcRef(m, this.globalType(g))) exact.push(this.globalCell(g));
        m.consts.forEach((k, n) => {
            if (k.tag === C_STR || k.tag === C_BYTES) exact.push(this.cell('consts', n));
        });
        const roots = (visit, maybe) => {
            for (const at of exact) visit(this.memory.number(at));
            for (const ref of this.pins.keys()) visit(ref);
            const high = this.machine.code.stackHigh;
            for (let at = roundUp(Math.max(this.machine.sp(), this.machine.code.stackLow), 8); at < high; at += 8)
                maybe(this.memory.number(at));
        };
        const { heapLimit: limit, gcStress: stress } = this.options;
        this.heap = new Heap(this.memory, types, { base, window: this.vm + m.vm.window, roots, limit, stress });
    }

    makeConstants() {
        const { m } = this;
        m.consts.forEach((k, n) => {
            if (k.tag !== C_STR && k.tag !== C_BYTES) return;
            const bytes = k.tag === C_STR ? k.bytes : m.datas[Number(k.bits)].bytes;
            const type = m.types.findIndex(t => t.kind === K_ARRAY && PRIMS[t.elem] === 'u8');
            if (type < 0) return; // then no register can load it either
            const ref = this.heap.allocate(type, bytes.length);
            if (!ref) throw new RangeError("the module's constants do not fit the heap");
            this.memory.bytes(ref, bytes.length).set(bytes);
            this.memory.setNumber(this.cell('consts', n), ref);
        });
    }

    makeGlobals() {
        const { m } = this;
        m.globals.forEach((g, k) => {
            if (g.init === undefined) return;
            const constant = m.consts[g.init];
            const at = this.cell('globals', m.impGlobals.length + k);
            if (constant.tag === C_STR || constant.tag === C_BYTES)
                this.memory.setNumber(at, this.memory.number(this.cell('consts', g.init)));
            else if (constant.tag === C_FN) this.memory.setNumber(at, m.calls[Number(constant.bits)].table);
            else this.memory.view.setBigUint64(at, constant.bits, true);
        });
    }

    // ---- for the host

    globalType(g) {
        const { m } = this;
        return g < m.impGlobals.length ? m.impGlobals[g].type : m.globals[g - m.impGlobals.length].type;
    }

    globalCell(g) {
        const at = this.cell('globals', g);
        return g < this.m.impGlobals.length ? this.memory.number(at) : at;
    }

    global(g) {
        const instance = this;
        const { m } = this;
        const mutable = g < m.impGlobals.length ? m.impGlobals[g].mutable : m.globals[g - m.impGlobals.length].mutable;
        return {
            get value() {
                return instance.memory.load(m, instance.globalType(g), instance.globalCell(g));
            },
            set value(value) {
                if (!mutable) throw new TypeError('this global does not change');
                instance.memory.store(m, instance.globalType(g), instance.globalCell(g), value);
            },
        };
    }

    // An array of u8: a copy of its bytes, and a new one.
    bytes(ref) {
        const at = Number(ref);
        if (!this.heap.isLive(at)) throw new TypeError(`${ref} is no object`);
        return this.memory.bytes(at, this.memory.words[(at - LENGTH_BELOW) / 4]).slice();
    }

    newBytes(bytes) {
        const type = this.m.types.findIndex(t => t.kind === K_ARRAY && PRIMS[t.elem] === 'u8');
        const ref = type < 0 ? 0 : this.heap.allocate(type, bytes.length);
        if (!ref) throw new RangeError('no memory for these bytes');
        this.memory.bytes(ref, bytes.length).set(bytes);
        return BigInt(ref);
    }

    // Keeps an object from being freed, until it was unpinned as often.
    pin(ref) {
        if (ref !== null) this.pins.set(Number(ref), (this.pins.get(Number(ref)) ?? 0) + 1);
        return ref;
    }

    unpin(ref) {
        if (ref === null) return;
        const n = this.pins.get(Number(ref)) ?? 0;
        if (n > 1) this.pins.set(Number(ref), n - 1);
        else this.pins.delete(Number(ref));
    }

    signature(func) {
        const sig = this.m.types[this.m.sigs[func] - TYPE_BASE];
        return { params: sig.params, result: sig.elem };
    }

    function(func) {
        const { m } = this;
        const call = this.instance.exports[m.calls[func].name];
        if (!call) throw new FormatError(`function #${func} is not exported by the module`);
        const { params, result } = this.signature(func);
        return (...args) => {
            if (args.length !== params.length)
                throw new TypeError(`the function takes ${params.length} arguments, not ${args.length}`);
            const values = args.map((arg, k) => toWasm(m, params[k], arg));
            return this.timed(() => fromWasm(m, result, this.machine.run(() => call(BigInt(this.vm), ...values))));
        };
    }

    timed(body) {
        const { timeout } = this.options;
        if (!timeout || this.machine.depth) return body();
        this.until = performance.now() + timeout;
        this.setPoll(true);
        try {
            return body();
        } finally {
            this.until = Infinity;
            if (!this.heap.stress && !this.interrupted) this.setPoll(false);
        }
    }

    // With arguments and the result as words: integers extended by zeros, floats as their bits.
    callCells(name, args) {
        const { m } = this;
        const found = name === null ? m.entry : m.exports.find(e => e.kind === KIND_FUNC && e.name === name)?.index;
        if (found === undefined) throw new TypeError(name === null ? 'no entry function' : `no function ${name}`);
        const { params, result } = this.signature(found);
        if (args.length !== params.length)
            throw new TypeError(`the function takes ${params.length} arguments, not ${args.length}`);
        const words = [BigInt(this.vm), ...args];
        const call = m.calls[found].name;
        return this.timed(() => callEntry(this.machine, this.instance, call, words, result ? 1 : 0, this.words));
    }

    program() {
        const { m } = this;
        const exports = Object.create(null);
        const globals = Object.create(null);
        for (const e of m.exports) {
            if (e.kind === KIND_FUNC) exports[e.name] = this.function(e.index);
            else globals[e.name] = this.global(e.index);
        }
        const run = m.entry === undefined ? () => {
            throw new TypeError('the module has no entry function');
        } : this.function(m.entry);
        const callCells = (name, args) => this.callCells(name, args);
        const host = Object.fromEntries(['interrupt', 'bytes', 'newBytes', 'pin', 'unpin'].map(name => {
            return [name, (...args) => this[name](...args)];
        }));
        return { exports, globals, run, callCells, heap: this.heap, ...host };
    }
}

// ---- the interface -------------------------------------------------------------------------------------------------

// Imports of the WebAssembly module itself: the runtime's, then what the options give as imports['module.name'] or
// imports.module.name, then functions of C's library.
function resolve(module, helpers, options, library) {
    const out = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
        const given = options.imports?.[`${from}.${name}`] ?? options.imports?.[from]?.[name];
        const own = from === 'vitrail' ? helpers?.[name] : undefined;
        const value = own ?? given ?? library[name];
        if (value === undefined) throw new WebAssembly.LinkError(`${from}.${name} is not defined`);
        (out[from] ??= {})[name] = value;
    }
    return out;
}

// Exports of a module of IR functions: its functions, and everything else as it is.
function plainExports(machine, instance) {
    const exports = Object.create(null);
    for (const [name, value] of Object.entries(instance.exports))
        exports[name] = typeof value === 'function' ? (...args) => machine.run(() => value(...args)) : value;
    const cells = roundUp(machine.code.heapBase, 16); // behind everything else in the memory
    const callCells = (name, args, results) => callEntry(machine, instance, name, args, results, cells);
    return { exports, callCells };
}

// Calls by the function that passes values through memory (core/aot/wasm_entry.c), from the address `from` on.
function callEntry(machine, instance, name, args, results, from) {
    const entry = instance.exports[`entry ${name}`];
    if (!entry) throw new TypeError(`the module has no export 'entry ${name}'`);
    const { memory } = machine;
    const to = from + args.length * 8;
    if (to + results * 8 > memory.size && memory.grow(to + results * 8 - memory.size) < 0)
        throw new RangeError('no memory for arguments and results');
    const { view } = memory.check();
    args.forEach((arg, k) => view.setBigUint64(from + k * 8, arg, true));
    for (let k = 0; k < results; k++) view.setBigUint64(to + k * 8, 0n, true);
    machine.run(() => entry(BigInt(from), BigInt(to)));
    memory.check();
    return BigUint64Array.from({ length: results }, (_, k) => memory.view.getBigUint64(to + k * 8, true));
}

// Makes a program of a module, its bytes or a WebAssembly.Module. Options:
//     imports    functions and values of imported globals, by 'module.name'; a function may throw a Trap
//     natives    the same, asked after imports and before io.print, io.println, time.now_ms
//     stdout     receives what the program prints, as text; write: as bytes
//     heapLimit  bytes; more live ones trap OOM
//     gcStress   collect at every safepoint and overwrite what is freed
//     timeout    milliseconds until a call of an exported function is interrupted: of modules built with --polls
// The program has
//     exports    functions, and of modules of IR what else they export
//     memory     the WebAssembly.Memory
//     callCells  (name, words, number of results): calls a function with arguments as words, and gives words; of
//                modules of IR by functions that were made for it, with every bit
// and of modules of bytecode
//     globals    exported ones: { value }
//     run        the entry function
//     interrupt  makes what runs trap INTERRUPT at its next safepoint; likewise
//     bytes, newBytes    the bytes of an array of u8; a new one
//     pin, unpin         keep an object from being freed while only the host has it, until unpinned as often
//     heap               its collect(), stats and live (bytes after the last collection)
export async function instantiate(source, options = {}) {
    await prepare();
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const program = make(module, options);
    return program.start(await WebAssembly.instantiate(module, program.imports));
}

// The same without waiting for anything, after prepare(); pages may not do that with large modules.
export function instantiateSync(source, options = {}) {
    const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
    const program = make(module, options);
    return program.start(new WebAssembly.Instance(module, program.imports));
}

// What the module imports, and what makes a program of its instance.
function make(module, options) {
    const machine = new Machine(module);
    const own = { ...options };
    if (!own.write && own.stdout) {
        const decoder = new TextDecoder();
        own.write = bytes => own.stdout(decoder.decode(bytes, { stream: true }));
    }
    const runtime = machine.code.bytecode ? new Instance(machine, own) : null;
    const library = standard({ bytes: (at, n) => machine.memory.bytes(at, n) });
    const imports = resolve(module, runtime?.helpers(), own, library);
    const start = instance => {
        machine.start(instance);
        runtime?.start(instance);
        const program = runtime ? runtime.program() : plainExports(machine, instance);
        return { ...program, memory: instance.exports.memory, instance, machine };
    };
    return { imports, start };
}
