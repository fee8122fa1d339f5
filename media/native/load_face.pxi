"""What Python sees of the load generator's thread: clips, peers by number, counters; included by load_plane.pyx."""


cdef dict counters_dict(const LoadCounters* counters):
    return {
        "packets": counters.packets, "bytes": counters.bytes, "control": counters.control,
        "refused": counters.refused, "duplicates": counters.duplicates, "dropped": counters.dropped,
        "lost": counters.lost, "lost_here": counters.lost_here, "recovered": counters.recovered,
        "nacked": counters.nacked, "plis": counters.plis, "frames": counters.frames,
        "unreachable": counters.unreachable, "sent": counters.sent, "sent_bytes": counters.sent_bytes,
        "resent": counters.resent, "nacks_heard": counters.nacks_heard, "plis_heard": counters.plis_heard,
        "asked": counters.asked,
        "keys_sent": counters.keys_sent, "unsent": counters.unsent,
    }


@cython.final
@cython.auto_pickle(False)
cdef class LoadFrames:
    """A clip in native memory: `turns[t][n]` are the payloads of frame n in turn t, the last with room for a stamp."""

    cdef LoadClip clip

    def __cinit__(self, int codec, int64_t frame_ns, uint32_t frame_ticks, list key_at not None, list turns not None):
        cdef uint32_t packet = 0, place = 0
        flat = [payloads for turn in turns for payloads in turn]
        if not turns or not flat or len(key_at) != len(turns) or len({len(turn) for turn in turns}) != 1:
            raise ValueError(f"{len(turns)} turns, {len(key_at)} key frames: expected equally long ones, a key each")
        if frame_ns <= 0:
            raise ValueError(f"a frame takes {frame_ns} ns, expected more than 0")
        for payloads in flat:
            sizes = [len(payload) for payload in payloads]
            if not sizes or sizes[len(sizes) - 1] < STAMP_BYTES or max(sizes) > FEED_PACKET_BYTES - 128:
                raise ValueError("a frame has no payloads, one too long, or a last one too short for a stamp")
        self.clip.codec = codec
        self.clip.frame_ns = frame_ns
        self.clip.frame_ticks = frame_ticks
        self.clip.turns = len(turns)
        self.clip.frames = len(turns[0])
        joined = b"".join([b"".join(payloads) for payloads in flat])
        self.clip.key_at = <uint32_t*>calloc(self.clip.turns, sizeof(uint32_t))
        self.clip.turn_of_key = <int32_t*>calloc(self.clip.frames, sizeof(int32_t))
        self.clip.first = <uint32_t*>calloc(len(flat) + 1, sizeof(uint32_t))
        self.clip.offset = <uint32_t*>calloc(sum(map(len, flat)) + 1, sizeof(uint32_t))
        self.clip.payloads = <uint8_t*>calloc(len(joined), 1)
        if (self.clip.key_at == NULL or self.clip.turn_of_key == NULL or self.clip.first == NULL
                or self.clip.offset == NULL or self.clip.payloads == NULL):
            raise MemoryError
        memcpy(self.clip.payloads, <const char*>joined, len(joined))
        for frame in range(self.clip.frames):
            self.clip.turn_of_key[frame] = -1
        for turn, frame in enumerate(key_at):
            if not 0 <= frame < self.clip.frames:
                raise ValueError(f"turn {turn} has its key frame at {frame}, expected 0 to {self.clip.frames - 1}")
            self.clip.key_at[turn] = frame
            self.clip.turn_of_key[frame] = turn
        for payloads in flat:
            self.clip.first[place] = packet
            place += 1
            for payload in payloads:
                self.clip.offset[packet + 1] = self.clip.offset[packet] + len(payload)
                packet += 1
        self.clip.first[place] = packet

    def __dealloc__(self):
        free(self.clip.key_at)
        free(self.clip.turn_of_key)
        free(self.clip.first)
        free(self.clip.offset)
        free(self.clip.payloads)


@cython.final
@cython.auto_pickle(False)
cdef class LoadPlane:
    """Peers by number, and the thread that lives for them. `stop` ends it; nothing may be called after `close`."""

    cdef Shared* shared
    cdef int running
    cdef dict kept                # by peer: objects whose addresses the thread uses
    cdef readonly int told        # readable when `take_control` has something

    def __cinit__(self, uint32_t capacity):
        cdef int i
        load()
        self.kept = {}
        self.shared = <Shared*>calloc(1, sizeof(Shared))
        if self.shared == NULL:
            raise MemoryError
        self.shared.capacity = capacity
        self.shared.peers = <LoadPeer**>calloc(max(capacity, 1), sizeof(LoadPeer*))
        self.shared.control = <Control*>calloc(CONTROL_MAX, sizeof(Control))
        self.shared.buffers = <uint8_t*>calloc(MESSAGES, MESSAGE_BYTES)
        if self.shared.peers == NULL or self.shared.control == NULL or self.shared.buffers == NULL:
            raise MemoryError
        for i in range(MESSAGES):
            self.shared.vectors[i].iov_base = self.shared.buffers + <size_t>i * MESSAGE_BYTES
            self.shared.vectors[i].iov_len = MESSAGE_BYTES
            self.shared.messages[i].msg_hdr.msg_iov = &self.shared.vectors[i]
            self.shared.messages[i].msg_hdr.msg_iovlen = 1
            self.shared.messages[i].msg_hdr.msg_control = &self.shared.notes[i][0]
        pthread_mutex_init(&self.shared.turn, NULL)
        pthread_mutex_init(&self.shared.rows, NULL)
        self.shared.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.shared.told = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.told = self.shared.told

    def __dealloc__(self):
        cdef uint32_t i
        if self.shared == NULL:
            return
        self.stop()
        for i in range(self.shared.highest):
            if self.shared.peers[i] != NULL:
                free_peer(self.shared.peers[i])
        for descriptor in (self.shared.wake, self.shared.told):
            close(descriptor)
        pthread_mutex_destroy(&self.shared.turn)
        pthread_mutex_destroy(&self.shared.rows)
        free(self.shared.peers)
        free(self.shared.control)
        free(self.shared.buffers)
        free(self.shared)

    def start(self):
        """Start the thread."""
        if not self.running:
            self.shared.stopping = 0
            if pthread_create(&self.shared.thread, NULL, run, self.shared) != 0:
                raise OSError("the system gives no further thread")
            self.running = 1

    def stop(self):
        """End the thread; a second call does nothing."""
        cdef Shared* shared = self.shared
        if self.running:
            halqa_load_set_flag(&shared.stopping, 1)
            halqa_wake(shared.wake)
            with nogil:
                pthread_join(shared.thread, NULL)
            self.running = 0

    def add(self, int descriptor, opener not None, sealer not None, bytes roles not None, *, uint32_t ssrc,
            int transport_id=0, bint counts=True, double loss=0.0, list announced=[]) -> int:
        """Add a peer with a connected socket and its SRTP sessions; return its number.

        `roles` maps each of 128 payload types to a CODEC_* of `payload`, 100 (RTX) or 0. `announced` are tuples (ssrc,
        role, SSRC that it repairs or 0). ValueError if there is no room; OSError for what is no socket.
        """
        cdef Shared* shared = self.shared
        cdef LoadPeer* peer
        cdef uint32_t id = 0
        if len(roles) != 128 or not 0.0 <= loss < 1.0 or len(announced) > STREAMS_MAX or not 0 <= transport_id < 256:
            raise ValueError(f"{len(roles)} roles, loss {loss}, {len(announced)} streams, extension {transport_id}")
        if not halqa_is_socket(descriptor):
            raise OSError(f"descriptor {descriptor} is no socket")
        while id < shared.capacity and shared.peers[id] != NULL:
            id += 1
        if id == shared.capacity:
            raise ValueError(f"there are {shared.capacity} peers already")
        peer = <LoadPeer*>calloc(1, sizeof(LoadPeer))
        if peer == NULL:
            raise MemoryError
        peer.id, peer.descriptor, peer.ssrc, peer.counts = id, descriptor, ssrc, counts
        peer.opener, peer.sealer = <void*><uintptr_t>opener.handle, <void*><uintptr_t>sealer.handle
        peer.loss, peer.chance = <uint32_t>(loss * 4294967295.0), ssrc
        peer.report_due_ns = halqa_load_monotonic() + 100000000 + <int64_t>(ssrc % 900) * 1000000
        memcpy(peer.roles, <const char*>roles, 128)
        if transport_id:
            peer.transport_id = transport_id
            peer.arrivals = <TwccRecorder*>calloc(1, sizeof(TwccRecorder))
            if peer.arrivals != NULL:
                twcc_init(peer.arrivals)
        for stream_ssrc, role, repairs in announced:
            load_add_stream(peer, stream_ssrc, role, repairs)
        with nogil:
            lock(shared)
        shared.peers[id] = peer
        shared.highest = max(shared.highest, id + 1)
        unlock(shared)
        self.kept[id] = [opener, sealer]
        return id

    def add_feed(self, uint32_t id, LoadFrames frames not None, *, uint32_t ssrc, int payload_type, bytes block=b"",
                 int transport_at=-1, uint32_t rtx_ssrc=0, int rtx_payload_type=0, bytes rtx_block=b"",
                 int rtx_transport_at=-1, int publisher=0, uint32_t turn=0, int64_t delay_ns=0):
        """Let a peer play a clip from now on. `block` is an RTP extension block, `transport_at` an offset in it."""
        cdef LoadPeer* peer = self.peer(id)
        cdef LoadFeed* feed = &peer.feeds[peer.feed_count]
        if peer.feed_count == FEEDS_MAX or max(len(block), len(rtx_block)) > FEED_BLOCK_MAX:
            raise ValueError(f"{peer.feed_count} feeds, blocks of {len(block)} and {len(rtx_block)} bytes: too much")
        memset(feed, 0, sizeof(LoadFeed))
        feed.kept = <uint8_t*>calloc(FEED_KEPT, FEED_PACKET_BYTES)
        feed.kept_bytes = <uint16_t*>calloc(FEED_KEPT, sizeof(uint16_t))
        if feed.kept == NULL or feed.kept_bytes == NULL:
            raise MemoryError
        feed.clip = &frames.clip
        feed.ssrc, feed.payload_type = ssrc, payload_type
        feed.rtx_ssrc, feed.rtx_payload_type = rtx_ssrc, rtx_payload_type
        feed.publisher, feed.turn = publisher, turn % frames.clip.turns
        feed.at = frames.clip.key_at[feed.turn]
        feed.number, feed.rtx_number, feed.timestamp = ssrc & 0x7FFF, ssrc >> 4 & 0x7FFF, ssrc * 7
        feed.picture_id = ssrc & 0x7FFF
        feed.due_ns = halqa_load_monotonic() + delay_ns
        feed.transport_at, feed.rtx_transport_at = transport_at, rtx_transport_at
        feed.block_bytes, feed.rtx_block_bytes = len(block), len(rtx_block)
        memcpy(feed.block, <const char*>block, len(block))
        memcpy(feed.rtx_block, <const char*>rtx_block, len(rtx_block))
        self.kept[id].append(frames)
        with nogil:
            lock(self.shared)
        peer.feed_count += 1
        unlock(self.shared)
        halqa_wake(self.shared.wake)

    def set_paused(self, uint32_t id, uint32_t ssrc, bint paused):
        """Stop or go on with a feed; it goes on with a key frame."""
        cdef LoadPeer* peer = self.peer(id)
        cdef int i
        with nogil:
            lock(self.shared)
        for i in range(peer.feed_count):
            if peer.feeds[i].ssrc == ssrc and peer.feeds[i].paused != paused:
                peer.feeds[i].paused = paused
                peer.feeds[i].wants_key = 1
        unlock(self.shared)

    def set_cut(self, uint32_t id, bint cut):
        """Take a peer's network away, or give it back: nothing goes out, what comes is thrown away."""
        cdef LoadPeer* peer = self.peer(id)
        with nogil:
            lock(self.shared)
        peer.cut = cut
        unlock(self.shared)

    def set_link(self, uint32_t id, *, uint64_t rate_bps=0, double delay_s=0.0, double queue_s=0.3, double loss=0.0):
        """Have all media come to a peer through a link of its own: bit/s (0: any), and what would queue longer is lost.

        Called again, the link is another one from then on. ValueError for what is no link.
        """
        cdef LoadPeer* peer = self.peer(id)
        cdef LoadLink* link
        if not 0.0 <= loss < 1.0 or delay_s < 0 or queue_s < 0:
            raise ValueError(f"a link of {delay_s} s delay, {queue_s} s queue, loss {loss}: expected none below 0")
        link = peer.link if peer.link != NULL else load_link_new()
        if link == NULL:
            raise MemoryError
        with nogil:
            lock(self.shared)
        load_link_set(link, rate_bps, <int64_t>(delay_s * 1e9), <int64_t>(queue_s * 1e9), loss)
        peer.link = link
        unlock(self.shared)

    def link(self, uint32_t id) -> dict[str, int]:
        """Return what came to a peer's link, and what became of it; ValueError without one."""
        cdef LoadPeer* peer = self.peer(id)
        cdef LoadLink copy
        if peer.link == NULL:
            raise ValueError(f"peer {id} has no link of its own")
        with nogil:
            lock(self.shared)
            copy = peer.link[0]
            unlock(self.shared)
        return {
            "offered": copy.offered, "offered_bytes": copy.offered_bytes, "jammed": copy.jammed, "lost": copy.lost,
            "waited_ns": copy.waited_ns,
        }

    def feeds(self, uint32_t id) -> dict[int, tuple[int, int, bool]]:
        """Return what a peer sent of each feed so far, by SSRC: packets, bytes of payload; and whether it is paused."""
        cdef LoadPeer* peer = self.peer(id)
        cdef int i
        return {
            peer.feeds[i].ssrc: (peer.feeds[i].packets, peer.feeds[i].octets, bool(peer.feeds[i].paused))
            for i in range(peer.feed_count)
        }

    def set_flood(self, uint32_t id, list compounds not None, double per_s):
        """Have a peer say these RTCP compounds over and over, so many a second; none: it stops."""
        cdef LoadPeer* peer = self.peer(id)
        cdef LoadFlood* flood = NULL
        cdef LoadFlood* gone
        cdef uint32_t i
        if any(not 8 <= len(one) <= FLOOD_BYTES_MAX for one in compounds) or not 0.0 < per_s <= 1e6:
            raise ValueError(f"{len(compounds)} compounds, {per_s} a second: expected 8 to {FLOOD_BYTES_MAX} bytes")
        if compounds:
            joined = b"".join(compounds)
            flood = <LoadFlood*>calloc(1, sizeof(LoadFlood))
            if flood == NULL:
                raise MemoryError
            flood.octets = <uint8_t*>calloc(len(joined), 1)
            flood.offset = <uint32_t*>calloc(len(compounds) + 1, sizeof(uint32_t))
            if flood.octets == NULL or flood.offset == NULL:
                free_flood(flood)
                raise MemoryError
            memcpy(flood.octets, <const char*>joined, len(joined))
            flood.count = len(compounds)
            for i in range(flood.count):
                flood.offset[i + 1] = flood.offset[i] + len(compounds[i])
            flood.every_ns = max(1, <int64_t>(1e9 / per_s))
            flood.due_ns = halqa_load_monotonic()
        with nogil:
            lock(self.shared)
        gone = peer.flood
        peer.flood = flood
        unlock(self.shared)
        free_flood(gone)

    def flooded(self, uint32_t id) -> int:
        """Return how many compounds a peer's flood has sent so far."""
        cdef LoadPeer* peer = self.peer(id)
        return 0 if peer.flood == NULL else peer.flood.sent

    def remove(self, uint32_t id):
        """Forget a peer: afterwards its socket and sessions may be closed."""
        cdef LoadPeer* peer = self.peer(id)
        with nogil:
            lock(self.shared)
        self.shared.peers[id] = NULL
        load_account(peer, halqa_load_wall())
        add_counters(&self.shared.gone, &peer.counters)
        unlock(self.shared)
        free_peer(peer)
        del self.kept[id]

    def counters(self, uint32_t id) -> dict[str, int]:
        """Return what is counted of a peer; what is missing is put down up to now."""
        cdef LoadPeer* peer = self.peer(id)
        cdef LoadCounters copy
        with nogil:
            lock(self.shared)
            load_account(peer, halqa_load_wall())
            copy = peer.counters
            unlock(self.shared)
        return counters_dict(&copy)

    def totals(self) -> dict[str, int]:
        """Return what is counted of all peers there are and were."""
        cdef Shared* shared = self.shared
        cdef LoadCounters total
        cdef int64_t wall_ns = halqa_load_wall()
        cdef uint32_t i
        with nogil:
            lock(shared)
            total = shared.gone
            for i in range(shared.highest):
                if shared.peers[i] != NULL:
                    load_account(shared.peers[i], wall_ns)
                    add_counters(&total, &shared.peers[i].counters)
            unlock(shared)
        return counters_dict(&total)

    def firsts(self, uint32_t id) -> tuple[int, int, int]:
        """Return when the first packet, the first whole key frame, and the last datagram came (wall ns; 0: never)."""
        cdef LoadPeer* peer = self.peer(id)
        return peer.counters.first_packet_ns, peer.counters.first_key_ns, peer.counters.heard_ns

    def latencies(self) -> list[int]:
        """Return the counts of all buckets of latency: `load_incoming.bucket_us` tells their bounds."""
        cdef int i
        return [self.shared.latencies[i] for i in range(LATENCY_BUCKETS)]

    def take_control(self) -> list[tuple[int, bytes]]:
        """Return the datagrams that wait for Python, each with the number of its peer."""
        cdef Shared* shared = self.shared
        cdef Control* place
        taken = []
        with nogil:
            lock(shared)
        while shared.control_count:
            place = &shared.control[shared.control_first]
            taken.append((place.id, (<char*>place.octets)[:place.size]))
            shared.control_first = (shared.control_first + 1) % CONTROL_MAX
            shared.control_count -= 1
        unlock(shared)
        return taken

    def cpu_ns(self) -> int:
        """Return the CPU time that the thread has used."""
        return halqa_load_cpu(self.shared.thread) if self.running else 0

    cdef LoadPeer* peer(self, uint32_t id) except NULL:
        if id >= self.shared.highest or self.shared.peers[id] == NULL:
            raise ValueError(f"there is no peer {id}")
        return self.shared.peers[id]
