# Part of gcc.pyx: what follows from losses beyond the path's own.

cdef void control_by_loss(Gcc* gcc, uint64_t now_us) noexcept nogil:
    """Lower the rate for losses beyond the path's own; grow while there are none.

    Of few packets on a bad path now many are lost and now few, by chance: what chance explains is no reason to fall.
    Radios lose several in a row, half of what a look sees: without a queue two looks are judged, the better counts.
    """
    cdef double own, elapsed_s, chance, lasting
    cdef bint is_queued
    if gcc.loss_expected < LOSS_PACKETS_MIN:
        return
    gcc.loss_before = gcc.loss
    gcc.loss = <double>gcc.loss_lost / gcc.loss_expected
    gcc.jammed = queued_ms(gcc) > JAM_MS
    is_queued = queues(gcc)
    lasting = gcc.loss if is_queued else min(gcc.loss, <double>gcc.loss_before)
    chance = sqrt(gcc.own_loss * (1.0 - gcc.own_loss) / gcc.loss_expected)
    gcc.second_queued_ms += queued_ms(gcc)
    gcc.second_looks += 1
    gcc.second_expected += gcc.loss_expected
    gcc.second_lost += gcc.loss_lost
    gcc.loss_expected = 0
    gcc.loss_lost = 0
    note_own_loss(gcc, now_us)
    own = gcc.own_loss
    elapsed_s = min((now_us - gcc.loss_changed_us) / 1e6, 1.0)
    if gcc.loss <= own + LOSS_LOW + chance:
        gcc.loss_bps = min(gcc.loss_bps * pow(LOSS_GROWTH_PER_S, elapsed_s) + 1000.0 * elapsed_s, <double>gcc.max_bps)
        gcc.loss_bps = max(gcc.loss_bps, gcc.delay_bps if own <= LOSS_LOW else 0.0)
        gcc.loss_changed_us = now_us
    elif (lasting > own + LOSS_HIGH + LOSS_CHANCES * chance
            and now_us - gcc.decreased_us > LOSS_INTERVAL_US + gcc.round_trip_us):
        gcc.loss_bps = min(gcc.loss_bps, gcc.target_bps * (1.0 - 0.5 * (lasting - own)))
        if is_queued and lasting > own + LOSS_FLOOD + LOSS_CHANCES * chance and gcc.acked_bps >= 0:
            gcc.loss_bps = min(gcc.loss_bps, gcc.acked_bps * BACK_OFF)  # a full queue: its delay grows no more
        gcc.decreased_us = now_us
        gcc.loss_changed_us = now_us
    else:
        gcc.loss_bps = min(gcc.loss_bps, max(gcc.delay_bps, <double>gcc.target_bps))
        gcc.loss_changed_us = now_us


cdef void note_own_loss(Gcc* gcc, uint64_t now_us) noexcept nogil:
    """Learn what the path loses whatever is sent: of the last ten seconds, one of the better."""
    cdef double sorted_loss[LOSS_WINDOWS]
    cdef double loss
    cdef int i, j, count
    cdef bint jammed
    if now_us - gcc.second_us < OWN_LOSS_US or gcc.second_expected < LOSS_PACKETS_MIN:
        return
    loss = <double>gcc.second_lost / gcc.second_expected
    jammed = gcc.second_queued_ms > JAM_MS * gcc.second_looks
    gcc.second_us = now_us
    gcc.second_expected = 0
    gcc.second_lost = 0
    gcc.second_queued_ms = 0
    gcc.second_looks = 0
    if jammed:
        return  # what a full queue drops is no property of the path
    gcc.seconds_loss[gcc.seconds % LOSS_WINDOWS] = loss
    gcc.seconds += 1
    count = min(gcc.seconds, LOSS_WINDOWS)
    if count <= OWN_LOSS_RANK:
        return  # too short a time to tell a bad path from a full one
    for i in range(count):
        loss = gcc.seconds_loss[i]
        j = i
        while j > 0 and sorted_loss[j - 1] > loss:
            sorted_loss[j] = sorted_loss[j - 1]
            j -= 1
        sorted_loss[j] = loss
    gcc.own_loss = min(sorted_loss[OWN_LOSS_RANK], OWN_LOSS_MAX)
