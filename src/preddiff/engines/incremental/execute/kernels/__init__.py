"""Loops over boxes, compiled by numba.

Why loops, where torch has operations for everything? Because of memory. What a clamp or a sum
costs is reading and writing its boxes; a processor adds far faster than memory delivers. In torch
the change of one rectified sum is five passes (gather the base, add, add, clamp, subtract), each of
which reads and writes a temporary of the whole batch. A loop reads each number once, keeps what is
in between in registers, and writes once. It also needs no gathered base: it computes where in
the base a number of a box lies.

They work on channels-last memory on a processor, so that the innermost loop runs over neighbouring
numbers and is done many at a time; in float32 or bfloat16, and always compute in float32: bfloat16
has 8 bits, and a sum of several terms would lose up to one more of them with each addition, where
this way the result is rounded once. `combination.py`, `pooling.py` and torch's own operations say
in torch what the loops do, and do it on other devices.

Lengths, offsets and strides come for three spatial axes (z, y, x) always; letters: n row (a draw),
w window, c channel. Indices are unsigned: of signed ones numba asks whether they count from the
end, which keeps loops from being done many numbers at a time. Whole arrays and indices are handed
on, as slices cost more than short loops. `nogil` lets every processor run its own windows.
"""
