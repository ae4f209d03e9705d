// Runs linked modules: node wasm_run.mjs FILE... For each a line of JSON: what check() returns or the error that keeps
// the module from being made, and of an exported trap() what it throws and where.
import { readFileSync } from 'node:fs';
import { prepare } from '../../tools/wasm/vitrail.mjs';

await prepare();
for (const file of process.argv.slice(2)) {
    const result = {};
    try {
        const module = await WebAssembly.compile(readFileSync(file));
        const { exports } = await WebAssembly.instantiate(module);
        result.check = exports.check();
        try {
            exports.trap?.();
        } catch (e) {
            result.trap = e.message;
            result.at = parseInt(/:0x([0-9a-f]+)\)/.exec(e.stack)?.[1], 16);
        }
    } catch (e) {
        result.error = e.message;
    }
    console.log(JSON.stringify(result));
}
