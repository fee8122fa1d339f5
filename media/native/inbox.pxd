"""The C face of an inbox: what the other workers of a node have for one of them."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.udp cimport DATAGRAM_MAX

cdef extern from *:
    """
    #include <pthread.h>
    """
    ctypedef struct halqa_inbox_mutex "pthread_mutex_t":
        pass

cdef enum:
    LETTER_PACKET = 1         # of a producer that is mirrored here
    LETTER_REPORT = 2         # its clock, as its sender report told it
    LETTER_RESTART = 3        # numbers or timeline of an encoding broke off
    LETTER_ENDED = 4          # nothing comes of an encoding any more
    LETTER_KEY_FRAME = 5      # viewers of a mirror need some

ctypedef struct Letter:
    uint64_t producer         # its id at home
    uint64_t arrival_us
    int64_t extended
    uint64_t ntp              # of LETTER_REPORT
    uint32_t ssrc
    uint32_t rtp_timestamp    # of LETTER_REPORT
    uint16_t size
    uint8_t kind
    uint8_t encoding
    uint8_t codec_index
    uint8_t is_new            # the highest number so far
    uint8_t encodings         # of LETTER_KEY_FRAME: of which, as bits
    uint8_t patient           # of LETTER_KEY_FRAME: for who sees a lower encoding meanwhile

ctypedef struct LetterSlot:
    Letter letter
    uint8_t octets[DATAGRAM_MAX]

ctypedef struct InboxRing:
    halqa_inbox_mutex mutex
    LetterSlot* slots
    uint32_t head             # written under the mutex, by whoever sends
    uint32_t tail             # written by the reader
    int wake_descriptor       # of the reader; -1: driven by hand
    int accepting
    uint64_t refused          # letters that found it full

cdef int inbox_put(InboxRing* ring, const Letter* letter, const uint8_t* octets) noexcept nogil
cdef void inbox_wake(InboxRing* ring) noexcept nogil
cdef void inbox_accept(InboxRing* ring, bint accepting) noexcept nogil
cdef uint32_t inbox_waiting(const InboxRing* ring) noexcept nogil
cdef LetterSlot* inbox_first(InboxRing* ring) noexcept nogil
cdef void inbox_pop(InboxRing* ring) noexcept nogil

cdef class Inbox:
    cdef InboxRing* ring
