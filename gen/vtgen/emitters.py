"""The lists of emitters, in the order they run: of what stands for all machines, and of each machine by itself."""
import emit_ir
import emit_ir_api
import emit_ir_build
import emit_ir_eval
import emit_decode
import emit_encode
import emit_print
import emit_rewrite
import emit_select
import emit_sim
import emit_target
import emit_targets
import emit_ways

COMMON = [
    emit_ir,
    emit_ir_api,
    emit_ir_build,
    emit_ir_eval,
    emit_rewrite,
    emit_targets,
]
MACHINE = [
    emit_encode,
    emit_decode,
    emit_print,
    emit_select,
    emit_sim,
    emit_target,
    emit_ways,
]
ALL = COMMON + MACHINE
