"""Checks of rules."""


def check_ir(model, diag):
    pass


def check(isa, model, diag, total):
    pass
