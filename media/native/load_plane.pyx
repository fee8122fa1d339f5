# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""The thread of the load generator: thousands of peers' sockets, read in batches, with nothing of Python per packet.

It reads lazily, some fifty times a second: the kernel notes when each datagram came, so that no figure suffers. It goes
through all sockets in turn, as nearly all have something each time. What epoll would do for each datagram that comes
would be done in the sender's time, where both share a computer: 5 % of a server's CPU, measured in November 2026. What
it cannot answer itself, STUN requests and DTLS, waits in a bounded ring for Python.
"""

import os

cimport cython
from libc.errno cimport ECONNREFUSED, errno
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from media.native.eventfd cimport halqa_wake
from media.native.load_incoming cimport load_account, load_add_stream, load_ask, load_receive, load_report
from media.native.load_link cimport (
    LinkPlace, LoadLink, load_link_free, load_link_new, load_link_put, load_link_set, load_link_take,
)
from media.native.load_outgoing cimport load_flood, load_play, load_tell
from media.native.load_peer cimport (
    CONTROL_BYTES_MAX,
    FEED_BLOCK_MAX,
    FEED_KEPT,
    FEED_PACKET_BYTES,
    FEEDS_MAX,
    FLOOD_BYTES_MAX,
    LATENCY_BUCKETS,
    STAMP_BYTES,
    STREAMS_MAX,
    LoadClip,
    LoadCounters,
    LoadFeed,
    LoadFlood,
    LoadMoment,
    LoadPeer,
)
from media.native.plane cimport pthread_mutex_t, pthread_t
from media.native.srtp import load
from media.native.twcc cimport TwccRecorder, twcc_init
from media.native.udp cimport iovec, mmsghdr, msghdr

cdef extern from *:
    """
    #include <poll.h>
    #include <pthread.h>
    #include <signal.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <time.h>
    #include <unistd.h>
    #ifndef SOL_UDP
    #define SOL_UDP 17
    #endif
    #ifndef UDP_GRO
    #define UDP_GRO 104
    #endif
    static inline int64_t halqa_clock_ns(clockid_t clock) {
        struct timespec at;
        clock_gettime(clock, &at);
        return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
    }
    static inline int64_t halqa_load_wall(void) { return halqa_clock_ns(CLOCK_REALTIME); }
    static inline int64_t halqa_load_monotonic(void) { return halqa_clock_ns(CLOCK_MONOTONIC); }
    static inline int64_t halqa_load_cpu(pthread_t thread) {
        clockid_t clock;
        return pthread_getcpuclockid(thread, &clock) == 0 ? halqa_clock_ns(clock) : 0;
    }
    static inline void halqa_block_signals(void) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);  /* signals are Python's business */
    }
    static inline void halqa_sleep(int wake, int64_t ns) {
        struct pollfd waiting = { wake, POLLIN, 0 };
        struct timespec most = { ns / 1000000000, ns % 1000000000 };
        uint64_t count;
        if (ppoll(&waiting, 1, &most, NULL) > 0 && read(wake, &count, sizeof count) < 0) { /* read already */ }
    }
    /* When a datagram came, and the size of the datagrams that the kernel put together to one (UDP_GRO). */
    static inline void halqa_read_notes(struct msghdr* message, int64_t* arrived_ns, int* segment) {
        struct cmsghdr* part;
        struct timespec at;
        for (part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
            if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
                memcpy(&at, CMSG_DATA(part), sizeof at);
                *arrived_ns = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
            } else if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
                memcpy(segment, CMSG_DATA(part), sizeof *segment);
            }
        }
    }
    static inline int halqa_is_socket(int descriptor) {
        int kind;
        socklen_t size = sizeof kind;
        return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) == 0;
    }
    static inline int halqa_load_flag(const int* at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
    static inline void halqa_load_set_flag(int* at, int value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
    """
    int pthread_create(pthread_t* thread, void* attributes, void* (*run)(void*) noexcept nogil,
        void* argument) noexcept nogil
    int pthread_join(pthread_t thread, void** result) noexcept nogil
    int pthread_mutex_init(pthread_mutex_t* mutex, void* attributes) noexcept nogil
    int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept nogil
    int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept nogil
    int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept nogil
    int64_t halqa_load_wall() noexcept nogil
    int64_t halqa_load_monotonic() noexcept nogil
    int64_t halqa_load_cpu(pthread_t thread) noexcept nogil
    void halqa_block_signals() noexcept nogil
    void halqa_sleep(int wake, int64_t ns) noexcept nogil
    void halqa_read_notes(msghdr* message, int64_t* arrived_ns, int* segment) noexcept nogil
    bint halqa_is_socket(int descriptor) noexcept nogil
    int halqa_load_flag(const int* at) noexcept nogil
    void halqa_load_set_flag(int* at, int value) noexcept nogil
    int recvmmsg(int descriptor, mmsghdr* messages, unsigned int count, int flags, void* timeout) noexcept nogil
    int close(int descriptor) noexcept nogil
    enum: MSG_DONTWAIT

cdef enum:
    MESSAGES = 16                 # of one recvmmsg; each may be a run of up to 64 KiB
    MESSAGE_BYTES = 65536
    NOTES_BYTES = 128
    READ_EVERY_NS = 20000000      # a frame's time: how late a loss is noticed
    TELL_EVERY_NS = 1000000000
    CONTROL_MAX = 1024            # datagrams that wait for Python; more are dropped, and repeated by whoever sent them
    STUN_SUCCESS = 0x0101

cdef struct Control:
    uint32_t id
    uint32_t size
    uint8_t octets[CONTROL_BYTES_MAX]

cdef struct Shared:               # everything that the thread touches
    pthread_mutex_t turn          # held while queueing for `rows`: makes taking turns fair
    pthread_mutex_t rows
    pthread_t thread
    int wake                      # eventfd: the thread has something else to do
    int told                      # eventfd: Python has something to read
    int stopping
    uint32_t capacity
    uint32_t highest              # no peer at or above
    LoadPeer** peers
    uint64_t latencies[LATENCY_BUCKETS]
    LoadCounters gone             # of peers that were removed
    uint64_t control_dropped
    uint32_t control_first
    uint32_t control_count
    Control* control
    uint8_t* buffers
    mmsghdr messages[MESSAGES]
    iovec vectors[MESSAGES]
    uint8_t notes[MESSAGES][NOTES_BYTES]


cdef void lock(Shared* shared) noexcept nogil:
    pthread_mutex_lock(&shared.turn)
    pthread_mutex_lock(&shared.rows)
    pthread_mutex_unlock(&shared.turn)


cdef inline void unlock(Shared* shared) noexcept nogil:
    pthread_mutex_unlock(&shared.rows)


cdef inline LoadMoment moment() noexcept nogil:
    cdef LoadMoment now
    now.wall_ns = halqa_load_wall()
    now.monotonic_ns = halqa_load_monotonic()
    return now


cdef void* run(void* argument) noexcept nogil:
    """The thread: play what is due, read now and then, ask and report; sleep in between."""
    cdef Shared* shared = <Shared*>argument
    cdef int64_t play_ns = 0, read_ns = 0, tell_ns = 0, wait_ns
    cdef LoadMoment now
    halqa_block_signals()
    while not halqa_load_flag(&shared.stopping):
        now = moment()
        if now.monotonic_ns >= play_ns:
            play_ns = play_all(shared, &now)
        if now.monotonic_ns >= read_ns:
            play_ns = read_all(shared, play_ns)
            now = moment()
            read_ns = now.monotonic_ns + READ_EVERY_NS
            look_after(shared, &now, now.monotonic_ns >= tell_ns)
            if now.monotonic_ns >= tell_ns:
                tell_ns = now.monotonic_ns + TELL_EVERY_NS
        wait_ns = min(play_ns, read_ns) - halqa_load_monotonic()
        if wait_ns > 0:
            halqa_sleep(shared.wake, wait_ns)
    return NULL


cdef int64_t play_all(Shared* shared, const LoadMoment* now) noexcept nogil:
    """Send what is due of all publishers; return when the next frame is."""
    cdef int64_t next_ns = now.monotonic_ns + READ_EVERY_NS, one_ns
    cdef LoadPeer* peer
    cdef uint32_t i
    lock(shared)
    for i in range(shared.highest):
        peer = shared.peers[i]
        if peer != NULL and peer.feed_count and not peer.cut:
            one_ns = load_play(peer, now)
            if one_ns < next_ns:
                next_ns = one_ns
    unlock(shared)
    return next_ns


cdef int64_t read_all(Shared* shared, int64_t play_ns) noexcept nogil:
    """Read whatever waits, and let no frame wait for it; return when the next one is due."""
    cdef LoadMoment now
    cdef uint32_t i
    for i in range(shared.highest):
        if shared.peers[i] == NULL:
            continue
        now = moment()
        if now.monotonic_ns >= play_ns:
            play_ns = play_all(shared, &now)
        lock(shared)
        read_peer(shared, i, &now)
        unlock(shared)
    return play_ns


cdef void read_peer(Shared* shared, uint32_t id, const LoadMoment* now) noexcept nogil:
    """Read a socket until it is empty; the peer may have gone meanwhile."""
    cdef LoadPeer* peer = shared.peers[id]
    cdef int i, count = MESSAGES
    while peer != NULL and count == MESSAGES:
        for i in range(MESSAGES):
            shared.messages[i].msg_hdr.msg_controllen = NOTES_BYTES
        count = recvmmsg(peer.descriptor, shared.messages, MESSAGES, MSG_DONTWAIT, NULL)
        if count < 0:
            peer.counters.unreachable += errno == ECONNREFUSED
            return
        for i in range(count):
            if not peer.cut:
                take_message(shared, peer, i, now)


cdef void take_message(Shared* shared, LoadPeer* peer, int index, const LoadMoment* now) noexcept nogil:
    """Take one message, which may be a run of datagrams of one size, the last perhaps shorter."""
    cdef uint8_t* datagram = shared.buffers + <size_t>index * MESSAGE_BYTES
    cdef size_t left = shared.messages[index].msg_len, size
    cdef int64_t arrived_ns = now.wall_ns
    cdef int segment = 0
    halqa_read_notes(&shared.messages[index].msg_hdr, &arrived_ns, &segment)
    peer.counters.heard_ns = arrived_ns
    while left > 0:
        size = <size_t>segment if 0 < segment < <int>left else left
        if 128 <= datagram[0] <= 191:
            if peer.link != NULL:
                load_link_put(peer.link, datagram, size, arrived_ns)
            else:
                load_receive(peer, datagram, size, arrived_ns, now, shared.latencies)
        elif datagram[0] <= 3 or 20 <= datagram[0] <= 63:
            leave_to_python(shared, peer.id, datagram, size)
        datagram += size
        left -= size


cdef void leave_to_python(Shared* shared, uint32_t id, const uint8_t* datagram, size_t size) noexcept nogil:
    """Keep a datagram of STUN or DTLS for `take_control`; answers to our own checks have done what they are for."""
    cdef Control* place
    if size >= 2 and (datagram[0] << 8 | datagram[1]) == STUN_SUCCESS:
        return
    if size > CONTROL_BYTES_MAX or shared.control_count == CONTROL_MAX:
        shared.control_dropped += 1
        return
    place = &shared.control[(shared.control_first + shared.control_count) % CONTROL_MAX]
    place.id = id
    place.size = <uint32_t>size
    memcpy(place.octets, datagram, size)
    shared.control_count += 1
    if shared.control_count == 1:
        halqa_wake(shared.told)


cdef void look_after(Shared* shared, const LoadMoment* now, bint tell) noexcept nogil:
    """Do for each peer what time brings: NACK, PLI, reports."""
    cdef LoadPeer* peer
    cdef uint32_t i
    for i in range(shared.highest):
        if shared.peers[i] == NULL:
            continue
        lock(shared)
        peer = shared.peers[i]
        if peer != NULL and peer.link != NULL:
            take_linked(shared, peer, now)
        if peer != NULL and not peer.cut:
            if peer.has_pending:
                load_ask(peer, now)
            load_report(peer, now)
            if peer.flood != NULL:
                load_flood(peer, now)
            if tell and peer.feed_count:
                load_tell(peer, now)
        unlock(shared)


cdef void take_linked(Shared* shared, LoadPeer* peer, const LoadMoment* now) noexcept nogil:
    """Take what has left the peer's own link by now, at the times at which it did."""
    cdef LinkPlace* place = load_link_take(peer.link, now.wall_ns)
    while place != NULL:
        if not peer.cut:
            load_receive(peer, place.octets, place.size, place.due_ns, now, shared.latencies)
        place = load_link_take(peer.link, now.wall_ns)


cdef void add_counters(LoadCounters* total, const LoadCounters* one) noexcept nogil:
    """Add what is counted; moments are of one peer alone."""
    total.packets += one.packets
    total.bytes += one.bytes
    total.control += one.control
    total.refused += one.refused
    total.duplicates += one.duplicates
    total.dropped += one.dropped
    total.lost += one.lost
    total.lost_here += one.lost_here
    total.recovered += one.recovered
    total.nacked += one.nacked
    total.plis += one.plis
    total.frames += one.frames
    total.unreachable += one.unreachable
    total.sent += one.sent
    total.sent_bytes += one.sent_bytes
    total.resent += one.resent
    total.nacks_heard += one.nacks_heard
    total.plis_heard += one.plis_heard
    total.asked += one.asked
    total.keys_sent += one.keys_sent
    total.unsent += one.unsent


cdef void free_peer(LoadPeer* peer) noexcept nogil:
    cdef int i
    for i in range(peer.stream_count):
        free(peer.streams[i].nack)
    for i in range(peer.feed_count):
        free(peer.feeds[i].kept)
        free(peer.feeds[i].kept_bytes)
    free(peer.arrivals)
    load_link_free(peer.link)
    free_flood(peer.flood)
    free(peer)


cdef void free_flood(LoadFlood* flood) noexcept nogil:
    if flood != NULL:
        free(flood.octets)
        free(flood.offset)
        free(flood)


include "load_face.pxi"
