# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Which frames of a layered stream (SVC) one viewer is sent: those of one decode target, and never one that cannot be
decoded.

A target is one spatial and one temporal layer with all that they need. What is sent of a stream goes up, and down, only
where the frames say that it can: for each target it is known whether all that it requires was sent since it could last
begin. The size of a picture changes between two pictures alone, so that the last packet of each can be told. An encoder
may leave out the frame that was to end a picture, which shows when the next one begins: receivers wait for the end and
decode nothing of such a picture, nor what refers to it.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from media.native.dependency cimport REFERENCES_MAX, TARGETS_MAX, LayerTargets

cdef enum:
    UNKNOWN = 0  # its packets did not come yet, or never will


cdef void selection_start(LayerSelection* selection) noexcept nogil:
    """Begin anew at the next frame, which needs none of those before."""
    memset(selection, 0, sizeof(LayerSelection))
    selection.target = NO_TARGET
    selection.goal = NO_TARGET


cdef inline int decision_of(const LayerSelection* selection, int64_t number) noexcept nogil:
    """What was decided about a frame; of what is too long ago, that it was left out."""
    if number > selection.highest:
        return UNKNOWN
    if selection.highest - number >= DECISIONS:
        return DECISION_LEFT_OUT
    return selection.decisions[number & (DECISIONS - 1)]


cdef bint can_be_decoded(const LayerSelection* selection, const LayerFrame* frame) noexcept nogil:
    """1 unless the frame refers to one that this viewer was not sent. What was lost may still come."""
    cdef int i
    if frame.own != NO_TARGET and not selection.intact >> frame.own & 1:
        return False
    for i in range(frame.use.reference_count):
        if decision_of(selection, frame.number - frame.use.references[i]) & DECISION_LEFT_OUT:
            return False
    return True


cdef int highest_of(const LayerTargets* targets, uint32_t candidates) noexcept nogil:
    """The target with the highest spatial, then temporal layer; -1 of none."""
    cdef int i, best = -1
    for i in range(targets.count):
        if candidates >> i & 1 and (best < 0 or targets.spatial[i] > targets.spatial[best] or (
                targets.spatial[i] == targets.spatial[best] and targets.temporal[i] > targets.temporal[best])):
            best = i
    return best


cdef int lowest_of(const LayerTargets* targets, uint32_t candidates) noexcept nogil:
    cdef int i, best = -1
    for i in range(targets.count):
        if candidates >> i & 1 and (best < 0 or targets.spatial[i] < targets.spatial[best] or (
                targets.spatial[i] == targets.spatial[best] and targets.temporal[i] < targets.temporal[best])):
            best = i
    return best


cdef uint32_t up_to(const LayerTargets* targets, uint8_t spatial, uint8_t temporal) noexcept nogil:
    """The targets that have no higher layers than these."""
    cdef int i
    cdef uint32_t found = 0
    for i in range(targets.count):
        if targets.spatial[i] <= spatial and targets.temporal[i] <= temporal:
            found |= <uint32_t>1 << i
    return found


cdef uint32_t of_layer(const LayerTargets* targets, uint8_t spatial) noexcept nogil:
    cdef int i
    cdef uint32_t found = 0
    for i in range(targets.count):
        if targets.spatial[i] == spatial:
            found |= <uint32_t>1 << i
    return found


cdef void want(LayerSelection* selection, const LayerTargets* targets, uint32_t active, uint8_t spatial,
               uint8_t temporal) noexcept nogil:
    """Find out what is to be sent of what there is; at least the lowest target."""
    cdef int lowest
    selection.spatial_wanted = spatial
    selection.temporal_wanted = temporal
    selection.active = active
    selection.allowed = up_to(targets, spatial, temporal) & active
    if selection.allowed == 0:
        lowest = lowest_of(targets, active)
        if lowest < 0:
            lowest = lowest_of(targets, 0xFFFFFFFF)
        selection.allowed = <uint32_t>1 << lowest
    selection.goal = <uint8_t>highest_of(targets, selection.allowed)


cdef void begin_picture(LayerSelection* selection, const LayerTargets* targets, uint32_t reachable) noexcept nogil:
    """Choose the target of a new picture: the best that is wanted and can be had."""
    cdef int best = highest_of(targets, selection.allowed & reachable)
    if best < 0 and selection.target != NO_TARGET:
        # Less is wanted, but nothing less can begin before the next key frame: fewer pictures of this size, then.
        best = lowest_of(targets, of_layer(targets, targets.spatial[<int>selection.target]) & reachable)
    if best >= 0:
        selection.target = <uint8_t>best
    selection.top = targets.spatial[<int>selection.target] if selection.target != NO_TARGET else 0


cdef void go_on(LayerSelection* selection, const LayerTargets* targets, uint32_t reachable,
                const LayerFrame* frame) noexcept nogil:
    """Within a picture there may be more to come of the next ones; a larger picture only if it was left open."""
    cdef uint8_t now = selection.target
    cdef uint32_t candidates = selection.allowed & reachable
    cdef int best
    if now == NO_TARGET:
        return
    if selection.top > targets.spatial[<int>now] and frame.use.spatial == selection.top:
        best = highest_of(targets, candidates & of_layer(targets, selection.top))
        if best >= 0:
            selection.target = <uint8_t>best
        else:
            selection.intact = 0  # the picture has no end: nothing goes on without a key frame
        return
    best = highest_of(targets, candidates & of_layer(targets, targets.spatial[<int>now]))
    if best >= 0 and targets.temporal[best] > targets.temporal[<int>now]:
        selection.target = <uint8_t>best


cdef int selection_take(LayerSelection* selection, const LayerTargets* targets, uint32_t version,
                        const LayerFrame* frame, uint32_t timestamp, bint marker, uint8_t spatial,
                        uint8_t temporal) noexcept nogil:
    """Decide about a packet that is the newest of its stream, once for all packets of its frame."""
    cdef int decision = take(selection, targets, version, frame, timestamp, spatial, temporal)
    if decision & DECISION_SENT and frame.ends and frame.number == selection.highest:
        selection.unfinished = not marker and not decision & DECISION_CLOSES
    return decision


cdef int take(LayerSelection* selection, const LayerTargets* targets, uint32_t version, const LayerFrame* frame,
              uint32_t timestamp, uint8_t spatial, uint8_t temporal) noexcept nogil:
    cdef bint opens = not selection.started or timestamp != selection.timestamp, decodable
    cdef int decision
    cdef uint32_t reachable, gained
    if not selection.started:
        memset(selection.decisions, DECISION_LEFT_OUT, DECISIONS)
        selection.highest = frame.number - 1
        selection.active = frame.active
        selection.started = 1
    elif frame.number <= selection.highest:
        decision = decision_of(selection, frame.number)
        return decision if decision != UNKNOWN else selection_late(selection, targets, frame)
    if opens:
        if selection.unfinished and frame.number == selection.highest + 1:
            give_up_picture(selection)
        selection.unfinished = 0
        selection.opened = frame.number
        selection.relied_on = 0
    gained = frame.active & ~selection.active
    if version != selection.version:
        selection.version = version
        selection.intact = 0
        selection.target = NO_TARGET
        gained = 0
        want(selection, targets, frame.active, spatial, temporal)
    elif (selection.goal == NO_TARGET or frame.active != selection.active or spatial != selection.spatial_wanted
            or temporal != selection.temporal_wanted):
        want(selection, targets, frame.active, spatial, temporal)
    forget_up_to(selection, frame.number)
    decodable = can_be_decoded(selection, frame)
    reachable = selection.intact | (frame.use.switches if decodable else 0)
    if opens:
        selection.timestamp = timestamp
        begin_picture(selection, targets, reachable)
        if selection.target != NO_TARGET and gained >> selection.goal & 1:
            # A layer begins with this picture: its frame comes behind those below, and may need no key frame.
            selection.top = max(selection.top, targets.spatial[<int>selection.goal])
    elif selection.target != selection.goal:
        go_on(selection, targets, reachable, frame)
    return decide(selection, frame, decodable)


cdef void give_up_picture(LayerSelection* selection) noexcept nogil:
    """All of a picture came, but not its end: nothing that refers to it can be decoded. It may be sent again."""
    cdef int64_t number
    if selection.highest - selection.opened >= DECISIONS:
        return
    for number in range(selection.opened, selection.highest + 1):
        if decision_of(selection, number) == UNKNOWN:
            return  # it was lost, and may still come
    for number in range(selection.opened, selection.highest + 1):
        selection.decisions[number & (DECISIONS - 1)] |= DECISION_LEFT_OUT
    selection.intact &= ~selection.relied_on


cdef void forget_up_to(LayerSelection* selection, int64_t number) noexcept nogil:
    """Frames between the newest and this one are not known yet."""
    if number - selection.highest >= DECISIONS:
        memset(selection.decisions, UNKNOWN, DECISIONS)
        selection.highest = number
    while selection.highest < number:
        selection.highest += 1
        selection.decisions[selection.highest & (DECISIONS - 1)] = UNKNOWN


cdef int decide(LayerSelection* selection, const LayerFrame* frame, bint decodable) noexcept nogil:
    """Send a frame if it belongs to what is sent and can be decoded; keep account of what that means to all targets."""
    cdef int decision = DECISION_LEFT_OUT
    if decodable and selection.target != NO_TARGET and frame.use.present >> selection.target & 1:
        decision = DECISION_SENT | selection.target << DECISION_TARGET_SHIFT
        if frame.use.spatial == selection.top:
            decision |= DECISION_CLOSES
        selection.intact |= frame.use.switches
        selection.relied_on |= frame.use.required
        selection.unfinished = 0
    else:
        selection.intact &= ~frame.use.required
    selection.decisions[frame.number & (DECISIONS - 1)] = <uint8_t>decision
    return decision


cdef int selection_late(LayerSelection* selection, const LayerTargets* targets, const LayerFrame* frame) noexcept nogil:
    """Decide about a packet that comes late, as about the others of its frame; 0 if nothing was ever sent."""
    cdef int decision
    if not selection.started or selection.target == NO_TARGET:
        return UNKNOWN
    decision = decision_of(selection, frame.number)
    if decision != UNKNOWN:
        return decision
    if frame.use.present >> selection.target & 1 and can_be_decoded(selection, frame):
        decision = DECISION_SENT | selection.target << DECISION_TARGET_SHIFT
        if frame.use.spatial == targets.spatial[<int>selection.target]:
            decision |= DECISION_CLOSES
        if frame.number >= selection.opened:
            selection.unfinished = 0  # whether it was the end is not known
            selection.relied_on |= frame.use.required
    else:
        decision = DECISION_LEFT_OUT
        selection.intact &= ~frame.use.required | <uint32_t>1 << selection.target
    selection.decisions[frame.number & (DECISIONS - 1)] = <uint8_t>decision
    return decision


cdef int selection_find(const LayerSelection* selection, const LayerFrame* frame) noexcept nogil:
    """Return what was decided about a frame; of what is too long ago, that it was left out."""
    return decision_of(selection, frame.number) if selection.started else UNKNOWN


cdef uint32_t selection_sent(const LayerTargets* targets, int decision) noexcept nogil:
    """The targets that are part of the one that a decision was made for."""
    cdef int target = decision >> DECISION_TARGET_SHIFT
    if target >= targets.count:
        return 0
    return up_to(targets, targets.spatial[target], targets.temporal[target])


cdef bint selection_waits(LayerSelection* selection, const LayerTargets* targets, uint8_t spatial,
                          uint8_t temporal) noexcept nogil:
    """1 if only a key frame brings what is wanted: another size that cannot begin between two pictures."""
    if not selection.started or selection.goal == NO_TARGET:
        return False
    if spatial != selection.spatial_wanted or temporal != selection.temporal_wanted:
        want(selection, targets, selection.active, spatial, temporal)
    if selection.target == NO_TARGET or not selection.intact >> selection.target & 1:
        return True
    if targets.spatial[<int>selection.target] == targets.spatial[<int>selection.goal]:
        return False
    return selection.intact & selection.allowed & of_layer(targets, targets.spatial[<int>selection.goal]) == 0


cdef bint selection_climbs(const LayerSelection* selection, const LayerTargets* targets) noexcept nogil:
    """1 if what is sent is whole, and smaller than what is wanted."""
    if selection.target == NO_TARGET or selection.goal == NO_TARGET or not selection.intact >> selection.target & 1:
        return False
    return targets.spatial[<int>selection.target] < targets.spatial[<int>selection.goal]


@cython.auto_pickle(False)
cdef class Selection:
    """Python face: what one viewer is sent of one stream."""

    cdef LayerSelection selection
    cdef LayerTargets targets
    cdef uint32_t version
    cdef uint8_t spatial
    cdef uint8_t temporal

    def __cinit__(self):
        selection_start(&self.selection)
        memset(&self.targets, 0, sizeof(LayerTargets))
        self.spatial = self.temporal = 255

    def set_targets(self, list targets not None) -> None:
        """Take another structure: the spatial and temporal layer of each decode target."""
        cdef int i
        if not 1 <= len(targets) <= TARGETS_MAX:
            raise ValueError(f"{len(targets)} decode targets, expected 1 to {TARGETS_MAX}")
        self.targets.count = <uint8_t>len(targets)
        for i, (spatial, temporal) in enumerate(targets):
            self.targets.spatial[i] = spatial
            self.targets.temporal[i] = temporal
        self.version += 1

    def want(self, uint8_t spatial, uint8_t temporal) -> None:
        """Send no higher layers than these from now on."""
        self.spatial = spatial
        self.temporal = temporal

    def start(self) -> None:
        """Begin anew."""
        selection_start(&self.selection)

    def take(
        self, int64_t number, uint32_t timestamp, *, int spatial, uint32_t present, uint32_t required,
        uint32_t switches, tuple references=(), uint32_t active=0xFFFFFFFF, uint8_t own=NO_TARGET, bint ends=False,
        bint marker=False, bint late=False,
    ) -> tuple[bool, bool] | None:
        """Return whether a packet is sent, and whether its frame ends the picture; None if it stands for nothing.

        `ends`: it is the last one of its frame; `marker`: the publisher says that nothing more comes of the picture.
        """
        cdef LayerFrame frame
        cdef int i, decision
        if len(references) > REFERENCES_MAX:
            raise ValueError(f"{len(references)} references, expected at most {REFERENCES_MAX}")
        if self.targets.count == 0:
            raise ValueError("no targets were set")
        memset(&frame, 0, sizeof(frame))
        frame.number = number
        frame.active = active
        frame.ends = ends
        frame.target_count = self.targets.count
        frame.own = own if own < self.targets.count else NO_TARGET
        frame.use.spatial = <uint8_t>spatial
        frame.use.present = present
        frame.use.required = required
        frame.use.switches = switches
        for i, reference in enumerate(references):
            frame.use.references[i] = reference
        frame.use.reference_count = <uint8_t>len(references)
        if late:
            decision = selection_late(&self.selection, &self.targets, &frame)
        else:
            decision = selection_take(&self.selection, &self.targets, self.version, &frame, timestamp, marker,
                self.spatial, self.temporal)
        return None if decision == UNKNOWN else (bool(decision & DECISION_SENT), bool(decision & DECISION_CLOSES))

    def target(self) -> int | None:
        """Return the index of the target that is sent."""
        return None if self.selection.target == NO_TARGET else self.selection.target

    def waits(self) -> bool:
        """Return whether only a key frame brings what is wanted."""
        return self.targets.count > 0 and selection_waits(&self.selection, &self.targets, self.spatial, self.temporal)

    def climbs(self) -> bool:
        """Return whether what is sent is whole, and smaller than what is wanted."""
        return self.targets.count > 0 and selection_climbs(&self.selection, &self.targets)
