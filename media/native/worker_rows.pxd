"""The C face of a worker's rows, for the class that runs them."""

from libc.stdint cimport uint64_t

from media.native.plane cimport Plane
from media.native.rows cimport Consumer, Core, Producer, Transport
from media.native.udp cimport UdpAddress

cdef class WorkerRows:
    cdef Plane plane
    cdef dict transports
    cdef dict producers
    cdef dict consumers
    cdef readonly int family
    cdef bint ready
    cdef Transport* transport(self, uint64_t id) except NULL
    cdef Producer* producer(self, uint64_t id) except NULL
    cdef Consumer* consumer(self, uint64_t id) except NULL
    cdef int check_tables(self, bytes in_kinds, bytes out_ids) except -1
    cdef int change_address(
        self, int (*change)(Core*, Transport*, const UdpAddress*) noexcept nogil, uint64_t id, str host, int port
    ) except -1
    cdef int fill_producer(self, Producer* row, bytes mid, list codecs, list encodings) except -1
