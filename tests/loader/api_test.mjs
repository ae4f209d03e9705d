// The loader's interface: api_test.mjs VITRAIL. Values at the border, imports, globals, traps and their reports, host
// functions that call back or throw, and modules whose sections are damaged.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError, Trap, instantiate, instantiateSync, prepare } from '../../tools/wasm/vitrail.mjs';

const vitrail = process.argv[2];
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'vitrail-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

function build(source, ...options) {
    const output = join(folder, 'out.wasm');
    execFileSync(vitrail, ['build', '--target', 'wasm64', ...options, join(here, source), '-o', output]);
    return readFileSync(output);
}

const trapOf = call => {
    try {
        call();
    } catch (e) {
        return e;
    }
    return assert.fail('it has to trap');
};

// Waiting is tried once: between two turns of its event loop Node 20 may hang (nodejs/node#54918).
await prepare();

// ---- the lists of traps, which stand in C and in md/ir.md, too

const root = join(here, '../..');
const header = readFileSync(join(root, 'core/bytecode/traps.h'), 'utf8');
const listed = [...header.matchAll(/X\((\d+), (\w+), "(\w+)", "([^"]+)"\)/g)];
assert.equal(listed.length, 12);
for (const [, code, ...texts] of listed) {
    const { name, diagnostic, message } = new Trap(Number(code));
    assert.deepEqual([name, diagnostic, message], texts);
}
const codes = /table trapcode {([^}]*)}/.exec(readFileSync(join(root, 'md/ir.md'), 'utf8'))[1].match(/\w+ \d+/g);
assert(codes.length >= 5);
for (const code of codes) assert.equal(new Trap(Number(code.split(' ')[1]), 'ir').name, code.split(' ')[0]);

// ---- bytecode

let text = '';
const kept = [];
const seen = [];
const bytes = build('api.vita');
const imports = {
    'host.level': 5,
    'host.mix': (...args) => {
        seen.push(args);
        return -7n;
    },
    'host.keep': ref => {
        kept.push(program.pin(ref));
        return null;
    },
    'c.scale': (a, b, c, d) => a + b + c * d,
};
const program = await instantiate(bytes, { imports, stdout: part => { text += part; } });
const { exports } = program;

assert.equal(exports.next_i8(127), -128);
assert.equal(exports.next_u32(0xffffffff), 0);
assert.equal(exports.next_u32(0x7fffffff), 0x80000000);
assert.equal(exports.third(1), 1 / 3);
assert.equal(exports.negate(true), false);
assert.equal(exports.mixed(-1, 65535, 1n << 62n, 0.5, true), -7n);
assert.deepEqual(seen.pop(), [-1, 65535, 1n << 62n, 0.5, true]);
assert.equal(exports.scaled(-3, 200, 0.25, 8), -3 + 200 + 2);
assert.equal(exports.through(21n), 42n);
assert.throws(() => exports.through(), TypeError);
program.run();
assert.equal(text, 'h\u00e9llo\n');
assert.equal(program.globals.shown.value, 40n);
program.globals.shown.value = 2n ** 64n - 1n;
assert.equal(program.globals.shown.value, 2n ** 64n - 1n);
assert.equal(program.globals.level.value, 5);
assert.deepEqual([...program.callCells('third', [0x4018000000000000n])], [0x4000000000000000n]);

assert.equal(exports.kept(), null);
assert.deepEqual(program.bytes(kept[0]), new TextEncoder().encode('h\u00e9llo'));
assert.throws(() => program.bytes(kept[0] + 8n), TypeError);
const mine = program.pin(program.newBytes(new Uint8Array([1, 2, 3])));
program.heap.collect();
assert.deepEqual([...program.bytes(mine)], [1, 2, 3]);
program.unpin(mine);
program.heap.collect();
assert.throws(() => program.bytes(mine), TypeError);

// What only a global leads to stays.
for (let k = 1n; k <= 100000n; k++) exports.push(k);
program.heap.collect();
assert.equal(exports.sum(), 5000050000n);

let trap = trapOf(() => exports.divide(1n, 0n));
assert(trap instanceof Trap && trap instanceof Error);
assert.deepEqual([trap.code, trap.name, trap.diagnostic, trap.depth], [1, 'DIV_ZERO', 'E7001', 1]);
const frame = { function: 'divide', block: 0, instruction: 0, file: 'api.vitte', line: 11, column: 9 };
assert.deepEqual(trap.frames, [frame]);
trap = trapOf(() => exports.lost());
assert.deepEqual([trap.code, trap.frames[0].line, trap.frames.length], [11, 7, 1]);
trap = trapOf(() => exports.throws());
assert.equal(trap.report, 'raised an object of type node\n    at throws, block 0, instruction 1\n');
assert(trap.object > 0n);

// Host functions: a Trap keeps its code and gets frames, another error goes through, a call may come back in.
imports['host.mix'] = () => { throw new Trap(300); };
const throwing = instantiateSync(bytes, { imports });
trap = trapOf(() => throwing.exports.mixed(0, 0, 0n, 0, false));
assert.deepEqual([trap.code, trap.diagnostic, trap.frames[0].function], [300, 'E7100', 'mixed']);
imports['host.mix'] = () => { throw new RangeError('mine'); };
const failing = instantiateSync(bytes, { imports });
assert.throws(() => failing.exports.mixed(0, 0, 0n, 0, false), { name: 'RangeError', message: 'mine' });
let inner;
imports['host.mix'] = () => {
    inner = trapOf(() => nested.exports.divide(1n, 0n));
    return nested.exports.through(4n);
};
const nested = instantiateSync(bytes, { imports });
const before = nested.instance.exports.__stack_pointer.value;
assert.equal(nested.exports.mixed(0, 0, 0n, 0, false), 8n);
assert.deepEqual([inner.code, inner.depth], [1, 1]);
assert.equal(nested.instance.exports.__stack_pointer.value, before);
assert.throws(() => instantiateSync(bytes, { imports: {} }), /imported global host.level is not defined/);

// What is to be interrupted has to poll.
const polling = build('api.vita', '--polls');
const patient = instantiateSync(polling, { imports, timeout: 50 });
assert.equal(trapOf(() => patient.exports.spin()).code, 12);
assert.equal(patient.exports.third(1), 1 / 3);
imports['host.mix'] = () => {
    asked.interrupt();
    return 1n;
};
const asked = instantiateSync(polling, { imports });
assert.equal(asked.exports.mixed(0, 0, 0n, 0, false), 1n);
assert.equal(trapOf(() => asked.exports.spin()).name, 'INTERRUPT');
assert.equal(asked.exports.third(1), 1 / 3);
assert.throws(() => instantiateSync(bytes, { imports, timeout: 50 }), /--polls/);
assert.throws(() => program.interrupt(), /--polls/);

// ---- IR

const ir = instantiateSync(build('api.clif'), { imports: { env: { host_double: x => x * 2n } } });
assert.equal(ir.exports.add(2n ** 63n - 1n, 1n), -(2n ** 63n));
assert.equal(ir.exports.outside(21n), 42n);
assert.equal(ir.exports.fused(0.1, 10, -1), 2 ** -54);
assert.equal(ir.exports.fused(2 ** 1000, 2 ** 1000, -Infinity), -Infinity);
assert.equal(ir.exports.fused(2 ** -600, 2 ** -474, 0), 2 ** -1074);
assert.equal(ir.exports.fused(2 ** -600, 2 ** -475, 0), 0);
assert.equal(ir.exports.fused(2 ** -600, 3 * 2 ** -475, 0), 2 ** -1073);
trap = trapOf(() => ir.exports.divide(1, 0));
assert.deepEqual([trap.name, trap.frames[0].function, trap.report.split('\n')[0]],
    ['int_divz', 'divide', 'trap int_divz']);
assert.equal(trapOf(() => ir.exports.divide(-(2 ** 31), -1)).name, 'int_ovf');
assert.equal(trapOf(() => ir.exports.user(1)).name, 'user7');

// ---- damage

const source = new Uint8Array(bytes);

// Places of a custom section's contents in the file.
function sectionOf(name) {
    const at = Buffer.from(source).lastIndexOf(name);
    const content = WebAssembly.Module.customSections(new WebAssembly.Module(source), name)[0];
    return [at + name.length, at + name.length + content.byteLength];
}

for (const name of ['vitrail.code', 'vitrail.module']) {
    const [first, end] = sectionOf(name);
    let refused = 0;
    let tried = 0;
    for (let at = first; at < end; at += name === 'vitrail.code' ? 1 : 5) {
        for (const value of [0xff, 0x7f, source[at] ^ 1]) {
            const damaged = source.slice();
            damaged[at] = value;
            tried++;
            try {
                instantiateSync(damaged, { imports, heapLimit: 1 << 24 });
            } catch (e) {
                const told = e instanceof FormatError || e instanceof RangeError || e instanceof WebAssembly.LinkError;
                assert(told, `${name}, byte ${at - first}, ${value}: ${e.stack}`);
                refused++;
            }
        }
    }
    assert(refused > tried / 10, `${refused} of ${tried} refused in ${name}`);
    // Without the section, and with another version.
    const renamed = source.slice();
    renamed[first - 1] ^= 1;
    assert.throws(() => instantiateSync(renamed, { imports }), FormatError);
    const other = source.slice();
    other[first] = 9;
    assert.throws(() => instantiateSync(other, { imports }), /version 9/);
    if (name !== 'vitrail.module') continue;
    // For another runtime: the second fact is a place in the structure that the first is the size of; the last ones are
    // the header of objects.
    const facts = [[2, 3, /no place for poll/], [2, source[first + 1], /no place for poll/], [12, 6, /another header/]];
    for (const [at, value, told] of facts) {
        const strange = source.slice();
        strange[first + at] = value;
        assert.throws(() => instantiateSync(strange, { imports }), told);
    }
}

// ---- as natively

for (const target of [[], ['--target', 'wasm64']]) {
    const run = [vitrail, ['run', ...target, join(here, 'api.vita'), '--entry', 'divide', '--', '5', '0']];
    assert.match(spawnSync(...run, { encoding: 'utf8' }).stderr, /host.level is not defined/);
}

// ---- engines that are none

const engines = [['/nonexistent/node', /cannot be started.*VITRAIL_NODE/], ['/bin/false', /Node.js ended/]];
for (const [node, told] of engines) {
    const env = { ...process.env, VITRAIL_NODE: node };
    const words = ['run', '--target', 'wasm64', join(here, 'api.clif'), '1', '2'];
    const run = spawnSync(vitrail, words, { encoding: 'utf8', env });
    assert.equal(run.status, 1);
    assert.match(run.stderr, told);
}
console.log('api: passed');
