# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""What one consumer does with one packet: send it under which numbers, or leave it out without leaving a hole.

Sequence numbers, timestamps, VP8 picture ids and dependency-descriptor frame numbers stay continuous for the viewer
through encoding switches (at key frames only), pauses, padding and dropped temporal layers. Which frames of a layered
stream are sent, `selection` says.
"""

cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from media.native.dependency cimport LayerTargets
from media.native.history cimport HistoryEntry
from media.native.payload cimport CODEC_VP8
from media.native.selection cimport (
    DECISION_CLOSES, DECISION_SENT, selection_find, selection_late, selection_sent, selection_start, selection_take,
)
from media.native.seqmap cimport (
    SEQMAP_FORGOTTEN, SequenceMap, SequenceRun, seqmap_by_output, seqmap_by_source, seqmap_clear, seqmap_current,
    seqmap_forget, seqmap_open,
)

cdef enum:
    TEMPORAL_UNKNOWN = 0xFF
    STEP_MIN_PER_SECOND = 100       # the least step between two frames of different origin is 10 ms
    ALIGNMENT_ERROR_MAX_S = 1       # a clock join that is further from wall time than this comes from a wrong report
    ENCODING_NONE = -1
    LAYERS_ALL = 0xFF


cdef void forward_init(ForwardState* state, bint is_video, uint16_t first_sequence_number) noexcept nogil:
    """Start empty; the caller draws the first number from 1..32767 (libsrtp mis-guesses rollovers near 65535)."""
    memset(state, 0, sizeof(ForwardState))
    state.is_video = is_video
    state.next_output = first_sequence_number
    state.encoding = ENCODING_NONE
    state.target = ENCODING_NONE
    state.temporal_wanted = TEMPORAL_UNKNOWN
    state.spatial_wanted = LAYERS_ALL
    state.temporal_now = TEMPORAL_UNKNOWN


cdef void forward_detach(ForwardState* state) noexcept nogil:
    """Forget the producer; numbers and timeline go on with the next one."""
    state.encoding = ENCODING_NONE
    state.target = ENCODING_NONE
    state.has_frame = 0
    state.resync = 0
    state.hastens = 0
    if state.map != NULL:
        seqmap_clear(state.map)


cdef void forward_hasten(ForwardState* state, uint32_t live_timestamp) noexcept nogil:
    """Let the next run be one that catches up: its timestamps keep the pace at which it is sent.

    Left as they are they would run three times as fast as the viewer's clock; libwebrtc takes that for the source's
    rate and shows everything too early or too late for half a minute after (Chromium 156, measured: 280 ms in 6 s).
    """
    state.live_timestamp = live_timestamp
    state.hastens = 1


cdef inline uint32_t drawn_together(const SequenceRun* run, uint32_t timestamp) noexcept nogil:
    """Return by how much later than it is a source timestamp is shown."""
    cdef int32_t ahead = <int32_t>(run.live_timestamp - timestamp)
    return <uint32_t>(ahead - ahead // FORWARD_HASTE) if run.hastens and ahead > 0 else 0


cdef void forward_rewrite(const SequenceRun* run, const HistoryEntry* entry, Rewrite* out) noexcept nogil:
    """Fill in what a packet looks like to the viewer under the run that covers it."""
    out.number = entry.extended - run.delta
    out.timestamp = entry.header.timestamp + run.timestamp_delta + drawn_together(run, entry.header.timestamp)
    out.picture_id = <uint16_t>(entry.facts.picture_id + run.picture_id_delta)
    out.tl0 = <uint8_t>(entry.facts.tl0 + run.tl0_delta)
    out.frame_number_delta = run.frame_number_delta
    out.closes = 0
    out.targets_sent = 0


cdef int forward_rewrite_layers(const ForwardState* state, const HistoryEntry* entry, const LayerTargets* targets,
        Rewrite* out) noexcept nogil:
    """Fill in what the decision about its frame makes of a packet of a layered stream; -1 if it was not sent."""
    cdef int decision = selection_find(state.layers, &entry.layers) if state.layers != NULL else 0
    if not decision & DECISION_SENT:
        return -1
    show_decision(decision, targets, out)
    return 0


cdef inline void show_decision(int decision, const LayerTargets* targets, Rewrite* out) noexcept nogil:
    out.closes = decision & DECISION_CLOSES != 0
    out.targets_sent = selection_sent(targets, decision)


cdef uint32_t wall_timestamp(const ForwardState* state, uint32_t clock_rate_hz, uint64_t now_us) noexcept nogil:
    """Return the output timestamp that wall time suggests for a packet sent now."""
    cdef uint64_t elapsed = (now_us - state.last_sent_us) * clock_rate_hz // 1000000
    if elapsed < clock_rate_hz // STEP_MIN_PER_SECOND:
        elapsed = clock_rate_hz // STEP_MIN_PER_SECOND
    return state.last_timestamp + <uint32_t>elapsed


cdef uint32_t joined_timestamp(const ForwardState* state, const SequenceRun* previous, uint32_t timestamp,
        uint32_t clock_rate_hz,
                               const Alignment* alignment, uint64_t now_us) noexcept nogil:
    """Return the output timestamp of the first packet of a new run: by sender reports if known, else by wall time."""
    cdef uint32_t wall = wall_timestamp(state, clock_rate_hz, now_us)
    cdef uint32_t exact
    cdef int32_t error
    cdef int32_t error_max = <int32_t>(clock_rate_hz * ALIGNMENT_ERROR_MAX_S)
    if previous == NULL or not alignment.valid:
        return wall
    exact = timestamp + alignment.timestamp_delta + previous.timestamp_delta
    error = <int32_t>(exact - wall)
    if error > error_max or error < -error_max:
        return wall
    if <int32_t>(exact - state.last_timestamp) <= 0:  # the same capture instant was already shown in the old encoding
        return state.last_timestamp + clock_rate_hz // STEP_MIN_PER_SECOND
    return exact


cdef void begin_run(ForwardState* state, uint8_t source, const HistoryEntry* entry, uint32_t clock_rate_hz,
        const Alignment* alignment,
                    int frame_number, uint64_t now_us) noexcept nogil:
    """Open a run that starts with this packet and continues what the viewer has seen."""
    cdef SequenceRun* previous = seqmap_current(state.map)
    cdef SequenceRun* run
    cdef uint32_t timestamp = entry.header.timestamp
    if state.started:
        timestamp = joined_timestamp(state, previous, entry.header.timestamp, clock_rate_hz, alignment, now_us)
    if previous != NULL and previous.end_source > state.highest_source:
        previous.end_source = state.highest_source + 1
    run = seqmap_open(state.map)
    run.first_source = entry.extended
    run.delta = entry.extended - state.next_output
    run.source = source
    run.hastens = state.hastens
    run.live_timestamp = state.live_timestamp
    state.hastens = 0
    run.timestamp_delta = timestamp - entry.header.timestamp - drawn_together(run, entry.header.timestamp)
    run.picture_id_delta = 0
    run.tl0_delta = 0
    run.frame_number_delta = 0
    if state.started:
        run.picture_id_delta = <uint16_t>(state.last_picture_id + 1 - entry.facts.picture_id)
        run.tl0_delta = <uint8_t>(state.last_tl0 + 1 - entry.facts.tl0)
        if frame_number >= 0:
            run.frame_number_delta = <uint16_t>(state.last_frame_number + 1 - frame_number)
    state.encoding = source
    state.resync = 0
    state.has_frame = 0
    state.temporal_now = state.temporal_wanted
    if state.layers != NULL:
        selection_start(state.layers)


cdef void leave_out(ForwardState* state, int64_t extended, uint8_t source, uint16_t pictures) noexcept nogil:
    """Close the gap that a packet not forwarded would leave; `pictures` is 1 when it begins a dropped picture."""
    cdef SequenceRun* run = seqmap_current(state.map)
    cdef SequenceRun* after
    state.next_output = extended - run.delta  # numbers below belong to packets that may still come late
    if run.first_source == extended:
        after = run
    else:
        after = seqmap_open(state.map)
        after[0] = run[0]
        after.end_source = 0x7FFFFFFFFFFFFFFF
        run.end_source = extended
    after.first_source = extended + 1
    after.delta += 1
    after.picture_id_delta -= pictures


cdef int64_t forward_pad(ForwardState* state) noexcept nogil:
    """Give an extended number to padding behind the newest packet; the caller sees that this ends a frame."""
    cdef SequenceRun* run = seqmap_current(state.map)
    cdef SequenceRun* after = run
    cdef int64_t number = state.next_output
    if run.first_source <= state.highest_source:
        after = seqmap_open(state.map)
        after[0] = run[0]
        after.end_source = 0x7FFFFFFFFFFFFFFF
        run.end_source = state.highest_source + 1
        after.first_source = state.highest_source + 1
    after.delta -= 1
    state.next_output += 1
    return number


cdef bint starts_dropped_picture(ForwardState* state, const HistoryEntry* entry, bint* dropped) noexcept nogil:
    """Decide a VP8 frame once, at its first packet seen; 1 if this packet begins a frame that is left out."""
    cdef uint8_t temporal_id = entry.facts.temporal_id
    if state.has_frame and entry.header.timestamp == state.frame_timestamp:
        dropped[0] = state.frame_dropped
        return False
    state.has_frame = 1
    state.frame_timestamp = entry.header.timestamp
    if entry.facts.key_frame or state.temporal_wanted < state.temporal_now:
        state.temporal_now = state.temporal_wanted
    elif state.temporal_now < temporal_id <= state.temporal_wanted and entry.facts.layer_sync:
        state.temporal_now = temporal_id
    state.frame_dropped = temporal_id > state.temporal_now
    dropped[0] = state.frame_dropped
    return state.frame_dropped


cdef int forward_decide(ForwardState* state, uint8_t source, const HistoryEntry* entry, bint is_new, uint8_t codec,
        uint32_t clock_rate_hz,
                        const Alignment* alignment, int frame_number, const LayerContext* layers, uint64_t now_us,
                        Rewrite* out) noexcept nogil:
    """Return FORWARD_SEND or FORWARD_SWITCHED with `out` filled, or FORWARD_DROP.

    `is_new`: the packet is the highest of its encoding so far; a late one keeps the number that was reserved for it.
    `frame_number` is the dependency descriptor's, -1 without one.
    FORWARD_FILL with `out` filled: nothing but a number is to be sent.
    """
    cdef SequenceRun* run
    cdef bint dropped = False, picture, layered = layers != NULL and state.layers != NULL
    cdef int verdict = FORWARD_SEND, decision = 0
    if state.map == NULL:
        return FORWARD_DROP
    if not is_new:
        run = seqmap_by_source(state.map, source, entry.extended)
        if run == NULL or entry.header.payload_length == 0:
            return FORWARD_DROP
        if run == seqmap_current(state.map) and entry.extended > state.highest_source:
            return FORWARD_DROP  # it came while the slot waited for a key frame: no number was kept for it
        forward_rewrite(run, entry, out)
        if layered and run.source == state.encoding:
            decision = selection_late(state.layers, layers.targets, &entry.layers)
            show_decision(decision, layers.targets, out)
            return FORWARD_SEND if decision & DECISION_SENT else FORWARD_FILL
        return FORWARD_SEND
    if source != state.encoding or state.resync:
        if source != state.target or (state.is_video and not entry.facts.key_frame) or entry.header.payload_length == 0:
            return FORWARD_DROP
        begin_run(state, source, entry, clock_rate_hz, alignment, frame_number, now_us)
        verdict = FORWARD_SWITCHED
    state.highest_source = entry.extended
    if entry.header.payload_length == 0:
        leave_out(state, entry.extended, source, 0)
        return FORWARD_DROP
    if layered:
        decision = selection_take(state.layers, layers.targets, layers.version, &entry.layers, entry.header.timestamp,
            entry.header.marker, state.spatial_wanted, state.temporal_wanted)
        if not decision & DECISION_SENT:
            leave_out(state, entry.extended, source, 0)
            return FORWARD_DROP
    elif codec == CODEC_VP8 and entry.facts.temporal_id != TEMPORAL_UNKNOWN:
        picture = starts_dropped_picture(state, entry, &dropped)
        if dropped:
            leave_out(state, entry.extended, source, picture)
            return FORWARD_DROP
    run = seqmap_current(state.map)
    forward_rewrite(run, entry, out)
    if layered:
        show_decision(decision, layers.targets, out)
    state.next_output = entry.extended - run.delta + 1
    state.last_timestamp = out.timestamp
    state.last_sent_us = now_us
    state.last_picture_id = out.picture_id
    state.last_tl0 = out.tl0
    if frame_number >= 0:
        state.last_frame_number = <uint16_t>(frame_number + run.frame_number_delta)
    state.started = 1
    return verdict


cdef void forward_skip(ForwardState* state, uint8_t source, int64_t extended) noexcept nogil:
    """Leave out a new packet that this viewer cannot take, e.g. of a codec that it did not negotiate."""
    if state.map != NULL and source == state.encoding and not state.resync:
        state.highest_source = extended
        leave_out(state, extended, source, 0)


cdef void forward_forget(ForwardState* state, uint8_t source) noexcept nogil:
    """Forget the packets of an encoding that begins to count anew: no number may stand for two packets."""
    if state.map != NULL:
        seqmap_forget(state.map, source)
    if state.encoding == source:
        state.resync = 1


cdef int forward_resend(ForwardState* state, uint16_t number, uint8_t* source, int64_t* extended,
        SequenceRun** run) noexcept nogil:
    """Find the source packet behind a number that the viewer misses; 0, or -1 if it had none or it is forgotten."""
    cdef int64_t output
    if state.map == NULL or not state.started:
        return -1
    output = state.next_output - 1 - <uint16_t>(<uint16_t>(state.next_output - 1) - number)
    run[0] = seqmap_by_output(state.map, output)
    if run[0] == NULL or run[0].source == SEQMAP_FORGOTTEN:
        return -1
    source[0] = run[0].source
    extended[0] = output + run[0].delta
    return 0


@cython.auto_pickle(False)
cdef class Forwarder:
    """Python face of one consumer's forwarding state, for tests; see `forward_decide`."""

    cdef ForwardState state
    cdef SequenceMap map

    def __cinit__(self, bint is_video=True, uint16_t first_sequence_number=1):
        seqmap_clear(&self.map)
        forward_init(&self.state, is_video, first_sequence_number)
        self.state.map = &self.map

    def set_target(self, int8_t target) -> None:
        """Ask for an encoding index; the switch happens at its next key frame."""
        self.state.target = target

    def set_temporal(self, uint8_t wanted) -> None:
        """Ask for the highest temporal layer."""
        self.state.temporal_wanted = wanted

    def resync(self) -> None:
        """Interrupt the timeline, as a pause does."""
        self.state.resync = 1

    def hasten(self, uint32_t live_timestamp) -> None:
        """Say that the packet that starts the next run is old, and where it will have caught up."""
        forward_hasten(&self.state, live_timestamp)

    def skip(self, uint8_t source, int64_t extended) -> None:
        """Leave out a new packet whatever it is."""
        forward_skip(&self.state, source, extended)

    def forget(self, uint8_t source) -> None:
        """Forget the packets of an encoding."""
        forward_forget(&self.state, source)

    def pad(self) -> int:
        """Return the number of a packet of padding. ValueError if nothing flows."""
        if self.state.encoding < 0 or self.state.resync:
            raise ValueError("nothing flows that padding could stand behind")
        return <uint16_t>forward_pad(&self.state)

    def detach(self) -> None:
        """Forget the producer."""
        forward_detach(&self.state)

    def decide(
        self, uint8_t source, int64_t extended, uint32_t timestamp, *, bint key_frame=False,
        uint8_t temporal_id=TEMPORAL_UNKNOWN, bint layer_sync=False, uint16_t picture_id=0, uint8_t tl0=0,
        uint16_t payload_length=1, bint is_new=True, uint8_t codec=CODEC_VP8, uint32_t clock_rate_hz=90000,
        alignment: int | None = None, int frame_number=-1, uint64_t now_us=0,
    ):
        """Return (sequence_number, timestamp, picture_id, tl0, frame_number_delta, switched); None if left out."""
        cdef HistoryEntry entry
        cdef Alignment joined
        cdef Rewrite out
        memset(&entry, 0, sizeof(entry))
        entry.extended = extended
        entry.header.timestamp = timestamp
        entry.header.payload_length = payload_length
        entry.facts.key_frame = key_frame
        entry.facts.temporal_id = temporal_id
        entry.facts.layer_sync = layer_sync
        entry.facts.picture_id = picture_id
        entry.facts.tl0 = tl0
        joined.valid = alignment is not None
        joined.timestamp_delta = alignment if alignment is not None else 0
        verdict = forward_decide(&self.state, source, &entry, is_new, codec, clock_rate_hz, &joined, frame_number,
            NULL, now_us, &out)
        if verdict == FORWARD_DROP:
            return None
        return (<uint16_t>out.number, out.timestamp, out.picture_id, out.tl0, out.frame_number_delta,
            verdict == FORWARD_SWITCHED)

    def resend(self, uint16_t number) -> tuple[int, int] | None:
        """Return (source, extended number) of the packet behind a number that the viewer misses, or None."""
        cdef uint8_t source
        cdef int64_t extended
        cdef SequenceRun* run
        if forward_resend(&self.state, number, &source, &extended, &run) < 0:
            return None
        return source, extended
