"""The native core: per-packet work in Cython, without the GIL and without Python objects on the way."""
