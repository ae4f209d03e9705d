"""All checks of a whole model; each module checks one part. None needs a solver."""

import emit_rewrite


def run(model, diag, total):
    emit_rewrite.check(model, diag)
