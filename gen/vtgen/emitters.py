"""The list of emitters, in the order they run."""
import emit_ir
import emit_ir_build
import emit_ir_eval
import emit_rewrite

ALL = [
    emit_ir,
    emit_ir_build,
    emit_ir_eval,
    emit_rewrite,
]
