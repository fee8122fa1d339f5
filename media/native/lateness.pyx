# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""How late the repaired pictures of a publisher come, and how long all who watch are to wait for them.

What a publisher's own link loses we ask for again, and pass on when it comes: a round trip late, for every viewer,
however good his path. A viewer's browser does not learn from that, since it asked for the packet itself meanwhile and
leaves repeats out of its estimate of jitter. So the server measures by how much packets come later than those behind
them, and says it in the playout-delay extension, as `playout` does for what a viewer's own path loses.
"""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from media.native.playout cimport playout_follow

cdef enum:
    SECOND_US = 1000000
    SECONDS_MIN = 3               # of ten, with late packets: one or two are a jam that is over
    SECONDS_MANY = 8              # so many are a link that loses a tenth: sooner or later a further repeat is lost
    LATE_MIN_US = 30000           # less is reordering, which browsers learn by themselves
    LATE_MAX_US = 500000          # that frame has frozen the picture, whatever we say
    FRAME_US = 50000              # the frame behind shows the gap: it comes so much later at 20 frames a second
    DELAY_MAX_US = 400000         # more would be noticed in a talk
    STEP_US = 10000


cdef void lateness_note(Lateness* lateness, uint64_t late_us, uint64_t now_us) noexcept nogil:
    cdef int at
    if not LATE_MIN_US <= late_us <= LATE_MAX_US:
        return
    go_on(lateness, now_us)
    at = <int>(lateness.second % LATENESS_SECONDS)
    if late_us > lateness.latest_us[at]:
        lateness.latest_us[at] = <uint32_t>late_us
    lateness.was_late = 1


cdef uint8_t lateness_tell(Lateness* lateness, uint64_t now_us) noexcept nogil:
    if not lateness.was_late:
        return 0
    go_on(lateness, now_us)
    return playout_follow(&lateness.playout, needed(lateness), now_us)


cdef void go_on(Lateness* lateness, uint64_t now_us) noexcept nogil:
    """Forget the seconds that are over ten ago."""
    cdef uint64_t second = now_us // SECOND_US
    if second >= lateness.second + LATENESS_SECONDS:
        memset(lateness.latest_us, 0, sizeof(lateness.latest_us))
        lateness.second = second
    while lateness.second < second:
        lateness.second += 1
        lateness.latest_us[<int>(lateness.second % LATENESS_SECONDS)] = 0


cdef int needed(const Lateness* lateness) noexcept nogil:
    """Return steps of 10 ms; 0 if only a few of the seconds had late packets.

    Where nearly all had, room is made for a repeat more than the latest took: that it has not come yet is chance.
    """
    cdef uint64_t latest_us = 0
    cdef int i, late = 0
    for i in range(LATENESS_SECONDS):
        late += lateness.latest_us[i] > 0
        latest_us = max(latest_us, <uint64_t>lateness.latest_us[i])
    if late < SECONDS_MIN:
        return 0
    if late >= SECONDS_MANY:
        latest_us += latest_us // 2
    return <int>(min(latest_us + FRAME_US, <uint64_t>DELAY_MAX_US) // STEP_US)


@cython.auto_pickle(False)
cdef class PublisherLateness:
    """Python face of what is known of one publisher's pictures, for tests."""

    cdef Lateness lateness

    def __cinit__(self):
        memset(&self.lateness, 0, sizeof(Lateness))

    def note(self, uint64_t late_us, uint64_t now_us) -> None:
        """Take that a packet came so much later than the one behind it."""
        lateness_note(&self.lateness, late_us, now_us)

    def tell(self, uint64_t now_us) -> int | None:
        """Return how long pictures are to wait, in ms; None for nothing to tell."""
        told = lateness_tell(&self.lateness, now_us)
        return (told - 1) * 10 if told else None
