# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""How long a viewer's pictures wait before they are shown: as long as what is lost takes to come again.

A receiver that sends nothing never learns its round trip (it has no sender reports answered), so libwebrtc's jitter
buffer makes no room for repeats: each lost packet is a frame too late, and many are a freeze. Measured with Chromium
156 at 100 ms and 10 % loss: a buffer of 30 ms, and a sixth of the time frozen. We know loss and round trip, and say in
the playout-delay extension how long pictures are to wait at least. Who loses nothing waits for nothing.
"""

cimport cython
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from media.native.wire cimport load16, store16, store24

cdef enum:
    STEP_US = 10000               # the extension's unit
    SECONDS_MIN = 3               # of ten, with losses: one or two are a jam that is over
    # Beside the round trip: the next frame has to show the gap, and libwebrtc, which guesses 100 ms without knowing,
    # asks again after that. What comes 150 ms after its time is not yet a freeze (W3C: webrtc-stats, freezeCount).
    TWICE_US = 100000             # the packet and its first repeat may be lost,
    THRICE_US = 200000            # the second repeat too
    DELAY_MAX_US = 400000         # more would be noticed in a talk
    RISE_US = 50000               # a step in this time: the picture is a fifth slower for a second
    FALL_US = 1000000
    HOLD_US = 10000000            # as long as the seconds that are looked at
    DELAY_FARTHEST = 1000         # steps, the greatest that may be: libwebrtc's own
    PROFILE_ONE_BYTE = 0xBEDE
    PROFILE_TWO_BYTE = 0x1000
    ONE_BYTE_ID_MAX = 14
    BLOCK_HEADER_BYTES = 4
    VALUE_BYTES = 3
    ELEMENT_BYTES_MAX = 8
    BLOCK_MAX = 1024

cdef double LOSS_MANY = 0.03


cdef int playout_needed(const double* seconds_loss, int seconds, uint32_t round_trip_us) noexcept nogil:
    """Return steps of 10 ms; 0 if only a few of the seconds lost anything."""
    cdef double mean = 0
    cdef uint64_t delay_us
    cdef int i, lossy = 0
    for i in range(seconds):
        mean += seconds_loss[i] / seconds
        lossy += seconds_loss[i] > 0
    if lossy < SECONDS_MIN:
        return 0
    delay_us = <uint64_t>round_trip_us + (THRICE_US if mean >= LOSS_MANY else TWICE_US)
    return <int>(min(delay_us, <uint64_t>DELAY_MAX_US) // STEP_US)


cdef uint8_t playout_follow(Playout* playout, int needed, uint64_t now_us) noexcept nogil:
    """Go one step at a time; down only after less was enough for some time."""
    if needed >= playout.steps:
        playout.needed_us = now_us
    if needed > playout.steps:
        if not playout.was_told or now_us - playout.changed_us >= RISE_US:
            playout.steps += 1
            playout.changed_us = now_us
            playout.was_told = 1
    elif needed < playout.steps and now_us - playout.needed_us >= HOLD_US and now_us - playout.changed_us >= FALL_US:
        playout.steps -= 1
        playout.changed_us = now_us
    return playout.steps + 1 if playout.was_told else 0


cdef size_t playout_write(uint8_t* block, size_t size, size_t capacity, uint8_t id, uint8_t delay) noexcept nogil:
    """Return the block's bytes with the delay, as many as before if it has no room or no form for the id."""
    cdef uint32_t value = <uint32_t>(delay - 1) << 12 | DELAY_FARTHEST
    if id == 0 or (size or BLOCK_HEADER_BYTES) + ELEMENT_BYTES_MAX > capacity:
        return size
    if size == 0:
        store16(block, PROFILE_ONE_BYTE if id <= ONE_BYTE_ID_MAX else PROFILE_TWO_BYTE)
        size = BLOCK_HEADER_BYTES
    if load16(block) != PROFILE_ONE_BYTE:
        block[size] = id
        block[size + 1] = VALUE_BYTES
        store24(block + size + 2, value)
        memset(block + size + 2 + VALUE_BYTES, 0, ELEMENT_BYTES_MAX - 2 - VALUE_BYTES)
        size += ELEMENT_BYTES_MAX
    elif id <= ONE_BYTE_ID_MAX:
        block[size] = <uint8_t>(id << 4 | (VALUE_BYTES - 1))
        store24(block + size + 1, value)
        size += 1 + VALUE_BYTES
    store16(block + 2, <uint16_t>(size // 4 - 1))
    return size


def needed_ms(list seconds_loss not None, uint32_t round_trip_us) -> int:
    """Return how long pictures are to wait on a path that lost these shares in its last seconds, at most ten."""
    cdef double losses[10]
    cdef int i, count = len(seconds_loss)
    if count > 10:
        raise ValueError(f"{count} seconds, expected at most 10")
    for i in range(count):
        losses[i] = seconds_loss[i]
    return playout_needed(losses, count, round_trip_us) * (STEP_US // 1000)


def write_delay(bytes block not None, uint8_t id, int delay_ms) -> bytes:
    """Return an extension block (of at most 1000 bytes, or none) with a delay of 0 to 2540 ms, in steps of 10."""
    cdef uint8_t out[BLOCK_MAX]
    cdef size_t size = len(block)
    if size > BLOCK_MAX - 24 or not 0 <= delay_ms <= 2540:
        raise ValueError(f"a block of {size} bytes and {delay_ms} ms, expected at most 1000 and 0 to 2540")
    memcpy(out, <const uint8_t*>block, size)
    size = playout_write(out, size, BLOCK_MAX, id, <uint8_t>(delay_ms // 10 + 1))
    return out[:size]


@cython.auto_pickle(False)
cdef class PlayoutDelay:
    """Python face of what one viewer is told, for tests."""

    cdef Playout playout

    def __cinit__(self):
        memset(&self.playout, 0, sizeof(Playout))

    def follow(self, int needed, uint64_t now_us) -> int | None:
        """Take what is needed now, in ms; return what to tell, None for nothing."""
        told = playout_follow(&self.playout, needed // 10, now_us)
        return (told - 1) * 10 if told else None
