"""The native core's C face: cimport from its modules."""
