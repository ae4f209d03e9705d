"""All checks of a whole model; each module checks one part. None needs a solver."""


def run(model, diag, total):
    for isa in model.isas.values():
        pass
