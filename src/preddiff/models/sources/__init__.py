"""Sources of models, one file for each kind of SPEC.

A source is a file here with `load(spec, request)`, which returns a Model and raises a ModelError
that says what is wrong, and a line of `SPEC_SOURCES` in models/load.py. A source whose models know
their own output and preprocessing calls `request.refuse(spec)` first.
"""
