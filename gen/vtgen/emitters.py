"""The list of emitters, in the order they run."""

ALL = []
