"""Numba kernels: arrays in, arrays out. Exceptions, defaults, units and names live above them.

Half-edge h = 3*f + c runs from corner c to corner (c + 1) % 3 of face f; there is no second convention. Input arrays
are C-contiguous and read-only (a writable one would compile a second copy of the kernel); `out_*` arrays are written. A
kernel never raises or prints, nor allocates by a number that a file claims; it signals with counts, masks, −1 and
NaN.
"""
