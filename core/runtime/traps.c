// The record of how a run ended, and its text.
#include "runtime/instance.h"

#include <inttypes.h>

void rt_trap_begin(Instance *instance, uint32_t code) {
    instance->trap.code = code;
    instance->trap.n_frames = 0;
    instance->trap.depth = 0;
}

void rt_trap_frame(Instance *instance, uint32_t func, uint32_t inst) {
    RtTrap *trap = &instance->trap;
    trap->depth++;
    if (trap->n_frames < RT_MAX_FRAMES) trap->frames[trap->n_frames++] = (RtFrame){func, inst};
}

static void trap_head(const Instance *instance, Buf *out) {
    uint32_t code = instance->trap.code;
    const BcModule *m = instance->module;
    if (code == RT_EXIT_RAISE) {
        Ref object = instance->vm->raised;
        if (!object) {
            buf_text(out, "raised null\n");
            return;
        }
        uint32_t type = heap_header(object)->type + BC_TYPE_BASE;
        buf_printf(out, "raised an object of type %s\n", bc_type_text(m, type, out->arena));
    } else if (code == RT_EXIT_HOST) {
        buf_printf(out, "a host function failed: %s\n", vtr_status_name(instance->host_status));
    } else if (bc_trap_name(code)) {
        buf_printf(out, "trap %" PRIu32 " %s %s: %s\n", code, bc_trap_name(code), bc_trap_diagnostic(code),
                   bc_trap_meaning(code));
    } else {
        buf_printf(out, "trap %" PRIu32 " %s: user trap %" PRIu32 "\n", code, bc_trap_diagnostic(code), code);
    }
}

static void trap_frame(const BcModule *m, RtFrame frame, Buf *out) {
    buf_printf(out, "    at %s", bc_function_name(m, frame.func, out->arena));
    const BcFunc *f = bc_local_func(m, frame.func);
    if (f) {
        buf_printf(out, ", block %" PRIu32 ", instruction %" PRIu32, bc_block_of(f, frame.inst), frame.inst);
        const BcLine *line = bc_line_at(m, frame.func - m->n_imp_funcs, frame.inst);
        if (line && line->line) {
            const BcStr *file = &m->strs[m->files[line->file]];
            buf_printf(out, ", %.*s:%" PRIu32, (int)file->len, file->bytes, line->line);
            if (line->col) buf_printf(out, ":%" PRIu32, line->col);
        }
    }
    buf_char(out, '\n');
}

void rt_trap_print(const Instance *instance, Buf *out) {
    const RtTrap *trap = &instance->trap;
    trap_head(instance, out);
    for (uint32_t i = 0; i < trap->n_frames; i++) trap_frame(instance->module, trap->frames[i], out);
    // How deep is too deep depends on the engine, so the number says nothing there.
    if (trap->code == BC_TRAP_STACK && trap->depth > trap->n_frames) buf_text(out, "    and more\n");
    else if (trap->depth > trap->n_frames) buf_printf(out, "    and %" PRIu64 " more\n", trap->depth - trap->n_frames);
}
