// Looks at complete modules from outside.
//
//     node wasm_modules.mjs validate FILE...
//     node wasm_modules.mjs run FILE STACK_BYTES MAX_MEMORY        made from wasm_modules.clif; 0 = the default
//     node wasm_modules.mjs names FILE                             made from wasm_names.clif
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { instantiateSync, prepare } from '../../tools/wasm/vitrail.mjs';

const PAGE = 65536;
const CANARY = 0x5ac3n;

function validate(files) {
    const wrong = files.filter(file => !WebAssembly.validate(readFileSync(file)));
    assert.deepEqual(wrong, [], 'modules that do not validate');
    console.log(`${files.length} modules validate`);
}

function run(file, stackBytes, maxMemory) {
    const asked = [];
    const ask = x => (asked.push(x), x + (typeof x === 'bigint' ? 1n : 0.5));
    const module = new WebAssembly.Module(readFileSync(file));
    // The name that is called with two types is imported twice; one function serves both here.
    assert.deepEqual(WebAssembly.Module.imports(module).map(i => `${i.module}.${i.name} ${i.kind}`),
        ['env.ask function', 'env.ask function']);
    const names = ['memory', '__indirect_function_table', '__stack_pointer', '__heap_base', 'deep', 'large', 'ask_host',
        'u3:5', 'address', 'call', 'call_other', 'read'];
    assert.deepEqual(WebAssembly.Module.exports(module).map(e => e.name).sort(), names.sort());

    const { exports } = new WebAssembly.Instance(module, { env: { ask } });
    assert.deepEqual(exports.ask_host(4n, 1.5), [5n, 2]);
    assert.deepEqual(asked, [4n, 1.5]);

    // Memory: an unused page, the stack, nothing else.
    const { memory, __heap_base: heap, __stack_pointer: sp } = exports;
    const stack = BigInt(Math.ceil((stackBytes || 1 << 20) / 16) * 16);
    assert.equal(sp.value, BigInt(PAGE) + stack);
    assert.equal(heap.value, sp.value);
    assert.equal(memory.buffer.byteLength, Math.ceil(Number(heap.value) / PAGE) * PAGE);
    const grow = pages => {
        try {
            return memory.grow(pages);
        } catch {
            return memory.grow(BigInt(pages)); // by version of the engine
        }
    };
    const before = memory.buffer.byteLength;
    assert.throws(() => exports.read(BigInt(before - 7)), WebAssembly.RuntimeError);
    grow(1);
    assert.equal(exports.read(BigInt(before - 7)), 0n);
    const view = () => new DataView(memory.buffer);
    view().setBigInt64(Number(heap.value), CANARY, true);
    assert.equal(exports.read(heap.value), CANARY);
    if (maxMemory) {
        grow((maxMemory - memory.buffer.byteLength) / PAGE);
        assert.equal(memory.buffer.byteLength, maxMemory);
        assert.throws(() => grow(1));
    } else {
        grow(64);
    }

    // The shadow stack: full, and beyond.
    const fits = Math.floor(Number(stack) / (PAGE + 16));
    const start = sp.value;
    const sum = n => n * (n + 1);
    assert.equal(exports.deep(BigInt(fits - 1)), BigInt(sum(fits - 1)));
    assert.equal(sp.value, start);
    for (const n of [fits + 2, 10 * fits, 1000]) {
        assert.throws(() => exports.deep(BigInt(n)), WebAssembly.RuntimeError, `a stack of ${fits} frames takes ${n}`);
        assert.equal(exports.read(heap.value), CANARY, 'the stack grew into the heap');
        sp.value = start; // as every host does after a trap
    }
    assert.equal(exports.deep(3n), 12n);
    for (let at = 0n; at < 1n << 24n; at += 8n << 10n) {
        try {
            assert.equal(exports.large(at), at); // in a page that is the stack's, anyway
        } catch (e) {
            assert.ok(e instanceof WebAssembly.RuntimeError, e);
        }
        sp.value = start;
        assert.equal(exports.read(heap.value), CANARY, `a large frame's ${at} is in the heap`);
    }

    // Function pointers.
    const table = exports.__indirect_function_table;
    const own = exports.address(1);
    const host = exports.address(0);
    assert.deepEqual([own, host].sort(), [1n, 2n]);
    assert.equal(table.get(0), null);
    assert.equal(table.get(Number(own)), exports['u3:5']);
    assert.equal(exports.call(own, 7n), 12n);
    assert.equal(exports.call(host, 7n), 8n);
    assert.throws(() => exports.call(0n, 7n), WebAssembly.RuntimeError);
    assert.throws(() => exports.call(3n, 7n), WebAssembly.RuntimeError);
    assert.throws(() => exports.call_other(own), WebAssembly.RuntimeError);
    console.log(`${file}: right`);
}

function names(file) {
    const module = new WebAssembly.Module(readFileSync(file));
    assert.deepEqual(WebAssembly.Module.imports(module).map(i => `${i.module} ${i.name}`).sort(),
        ['env plain', 'host say.it', 'math double']);
    const told = [];
    const host = { 'say.it': x => told.push(x) };
    const { exports } = new WebAssembly.Instance(module, { host, math: { double: x => x * 2n }, env: { plain: x => x } });
    assert.deepEqual(told, [7]);
    assert.deepEqual([exports.twice_of(21n), exports.from_env(5n)], [42n, 5n]);
    // By the loader, too.
    const asked = instantiateSync(module, { imports: { 'host.say.it': x => told.push(x), 'math.double': x => x - 1n,
        'env.plain': x => x } });
    assert.deepEqual([asked.exports.twice_of(21n), told], [20n, [7, 7]]);
    console.log(`${file}: right`);
}

await prepare();
const [what, ...args] = process.argv.slice(2);
if (what === 'validate') validate(args);
else if (what === 'names') names(args[0]);
else run(args[0], Number(args[1]), Number(args[2]));
