from libc.stdint cimport uint8_t, uint64_t

from media.native.inbox cimport InboxRing
from media.native.latency cimport ARRIVAL_CONTROL_BYTES, LatencyHistogram
from media.native.rows cimport Core

cdef extern from *:
    """
    #include <pthread.h>
    """
    ctypedef struct pthread_mutex_t:
        pass
    ctypedef unsigned long pthread_t

ctypedef struct Plane:
    Core core
    int descriptor            # the UDP socket; -1: driven by hand
    int wake_descriptor       # eventfd that ends the thread's wait
    int stopping
    int running
    int nice                  # of the thread: a wake-up must not wait behind the interpreter
    InboxRing* inbox          # from the other workers; NULL: none has anything to say yet
    LatencyHistogram latency
    uint8_t control[ARRIVAL_CONTROL_BYTES]  # where the kernel notes when a batch arrived
    uint64_t given_us         # the time of the last feed or tick when driven by hand
    pthread_t thread
    pthread_mutex_t turn      # held while queueing for `rows`: makes taking turns fair
    pthread_mutex_t rows

cdef int plane_init(Plane* plane, int descriptor, int wake_descriptor, int event_descriptor) noexcept nogil
cdef void plane_free(Plane* plane) noexcept nogil
cdef int plane_start(Plane* plane) noexcept nogil
cdef void plane_stop(Plane* plane) noexcept nogil
cdef void plane_lock(Plane* plane) noexcept nogil
cdef void plane_unlock(Plane* plane) noexcept nogil
cdef bint plane_wanted(Plane* plane) noexcept nogil
cdef uint64_t plane_cpu_ns(Plane* plane) noexcept nogil
cdef uint64_t plane_now_us(const Plane* plane) noexcept nogil
