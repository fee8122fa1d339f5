# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""The data-plane thread of one worker: it reads, forwards and keeps time, and never takes the GIL.

Python installs rows under a fair lock that the thread gives up between two datagrams. Nothing here may touch a Python
object; the thread is a plain pthread that the interpreter does not know.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memset

from media.native.clock cimport halqa_monotonic_us
from media.native.eventfd cimport halqa_drain, halqa_wake
from media.native.fanout cimport flush_plans, flush_whole_frames, rest_worth_us
from media.native.feedback cimport tick
from media.native.inbox cimport inbox_first, inbox_waiting
from media.native.ingress cimport receive_datagram
from media.native.latency cimport arrival_age_us, arrival_ask, arrival_enable, latency_observe
from media.native.lifecycle cimport core_free, core_init
from media.native.links cimport wake_told
from media.native.mirrors cimport read_letter
from media.native.pacer cimport pacer_run
from media.native.probing cimport probing_run
from media.native.udp cimport BATCH_MAX, receive_many, send_flush

cdef extern from *:
    """
    #define _GNU_SOURCE
    #include <pthread.h>
    #include <signal.h>
    #include <poll.h>
    #include <stdint.h>
    #include <sys/resource.h>
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>

    static inline uint64_t halqa_cpu_ns(pthread_t thread) {
        clockid_t clock;
        struct timespec at;
        if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &at) != 0) return 0;
        return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
    }
    static inline int halqa_wait(int socket, int wake, int timeout_ms) {
        struct pollfd waiting[2] = { { socket, POLLIN, 0 }, { wake, POLLIN, 0 } };
        return poll(waiting, 2, timeout_ms) > 0 && (waiting[1].revents & POLLIN) != 0;
    }
    static inline int halqa_readable(int descriptor, uint64_t within_us) {
        struct pollfd waiting = { descriptor, POLLIN, 0 };
        struct timespec most = { within_us / 1000000, within_us % 1000000 * 1000 };
        return ppoll(&waiting, 1, &most, NULL) > 0;
    }
    static inline void halqa_prefer(int nice) {
        /* Of this thread only. Without the right to it the thread runs at normal priority. */
        setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice);
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);  /* signals are Python's business */
    }
    static inline int halqa_flag(const int *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
    static inline void halqa_set_flag(int *at, int value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
    """
    int pthread_create(pthread_t* thread, void* attributes, void* (*run)(void*) noexcept nogil,
        void* argument) noexcept nogil
    int pthread_join(pthread_t thread, void** result) noexcept nogil
    int pthread_mutex_init(pthread_mutex_t* mutex, void* attributes) noexcept nogil
    int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept nogil
    int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept nogil
    int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept nogil
    int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept nogil
    uint64_t halqa_cpu_ns(pthread_t thread) noexcept nogil
    bint halqa_wait(int socket, int wake, int timeout_ms) noexcept nogil  # 1 if woken
    bint halqa_readable(int descriptor, uint64_t within_us) noexcept nogil
    void halqa_prefer(int nice) noexcept nogil
    int halqa_flag(const int* at) noexcept nogil
    void halqa_set_flag(int* at, int value) noexcept nogil

cdef enum:
    TICK_US = 10000               # NACK grace and feedback are counted in tens of milliseconds
    IDLE_WAIT_MS = 200            # without transports nothing is due
    LETTERS_MAX = 64              # of other workers at a time, as datagrams of our own


cdef int plane_init(Plane* plane, int descriptor, int wake_descriptor, int event_descriptor) noexcept nogil:
    """Prepare a worker that does not run yet; -1 if there is no memory."""
    memset(plane, 0, sizeof(Plane))
    plane.descriptor = descriptor
    plane.wake_descriptor = wake_descriptor
    if core_init(&plane.core, descriptor, event_descriptor) < 0:
        return -1
    pthread_mutex_init(&plane.turn, NULL)
    pthread_mutex_init(&plane.rows, NULL)
    return 0


cdef void plane_free(Plane* plane) noexcept nogil:
    """Give everything back; the thread must have been stopped."""
    core_free(&plane.core)
    pthread_mutex_destroy(&plane.turn)
    pthread_mutex_destroy(&plane.rows)


cdef int plane_start(Plane* plane) noexcept nogil:
    """Start the thread; -1 if the system refuses one."""
    plane.stopping = 0
    if pthread_create(&plane.thread, NULL, run, plane) != 0:
        return -1
    plane.running = 1
    return 0


cdef void plane_stop(Plane* plane) noexcept nogil:
    """End the thread and wait for it."""
    if not plane.running:
        return
    halqa_set_flag(&plane.stopping, 1)
    halqa_wake(plane.wake_descriptor)
    pthread_join(plane.thread, NULL)
    plane.running = 0


cdef void plane_lock(Plane* plane) noexcept nogil:
    """Take the rows in turn: whoever queues first comes first, so neither side can starve the other."""
    pthread_mutex_lock(&plane.turn)
    pthread_mutex_lock(&plane.rows)
    pthread_mutex_unlock(&plane.turn)


cdef void plane_unlock(Plane* plane) noexcept nogil:
    pthread_mutex_unlock(&plane.rows)


cdef bint plane_wanted(Plane* plane) noexcept nogil:
    """1 if somebody queues for the rows, which the caller holds."""
    if pthread_mutex_trylock(&plane.turn) != 0:
        return True
    pthread_mutex_unlock(&plane.turn)
    return False


cdef uint64_t plane_cpu_ns(Plane* plane) noexcept nogil:
    """Return the CPU time that the thread has used, in nanoseconds; 0 when it does not run."""
    return halqa_cpu_ns(plane.thread) if plane.running else 0


cdef uint64_t plane_now_us(const Plane* plane) noexcept nogil:
    """Return microseconds of the clock that `time.monotonic` shows in seconds; driven by hand, the last time given."""
    return halqa_monotonic_us() if plane.descriptor >= 0 else plane.given_us


cdef void take_batch(Plane* plane, int count, uint64_t now_us) noexcept nogil:
    """Take what was read and send what follows from it; whoever waits for the rows gets them between two datagrams.

    What completes a frame for many is read, too, if it comes soon.
    """
    cdef Core* core = &plane.core
    cdef uint64_t wait_us, until_us = 0
    cdef int i
    plane_lock(plane)
    while count:
        for i in range(count):
            receive_datagram(core, <unsigned char*>core.receive.vectors[i].iov_base, core.receive.messages[i].msg_len,
                &core.receive.sources[i], now_us)
            if plane_wanted(plane):
                flush_plans(core)
                plane_unlock(plane)
                plane_lock(plane)
        count = 0
        wait_us = rest_wait_us(plane, &until_us)
        if wait_us and halqa_readable(plane.descriptor, wait_us):
            count = receive_many(&core.receive, plane.descriptor)
            now_us = halqa_monotonic_us()
    if core.told_count:
        wake_told(core)  # they forward while we do
    flush_plans(core)
    plane_unlock(plane)


cdef uint64_t rest_wait_us(Plane* plane, uint64_t* until_us) noexcept nogil:
    """Return for how long the rest of a frame is worth waiting for now, 0: no longer. Others do not wait for it.

    The first call sets `until_us`, which must be 0.
    """
    cdef uint64_t worth_us = rest_worth_us(&plane.core)
    cdef uint64_t now_us
    if worth_us == 0 or plane_wanted(plane):
        return 0
    now_us = halqa_monotonic_us()
    if until_us[0] == 0:
        until_us[0] = now_us + worth_us
    if now_us >= until_us[0]:
        return 0
    flush_whole_frames(&plane.core)
    return until_us[0] - now_us


cdef void take_letters(Plane* plane, uint64_t now_us) noexcept nogil:
    """Read what the other workers have left, and send what follows from it."""
    cdef Core* core = &plane.core
    cdef uint64_t left_us = inbox_first(plane.inbox).letter.arrival_us
    cdef uint64_t sent_before = core.send.sent
    cdef uint64_t until_us = 0
    cdef int taken = 0
    plane_lock(plane)
    while taken < LETTERS_MAX and (inbox_waiting(plane.inbox) or rest_comes(plane, &until_us)):
        read_letter(core, plane.inbox, now_us)
        taken += 1
        if plane_wanted(plane):
            flush_plans(core)
            plane_unlock(plane)
            plane_lock(plane)
    flush_plans(core)
    send_flush(&core.send)
    plane_unlock(plane)
    if left_us and core.send.sent != sent_before:
        latency_observe(&plane.latency, halqa_monotonic_us() - left_us)


cdef bint rest_comes(Plane* plane, uint64_t* until_us) noexcept nogil:
    """1 if a letter came that may complete a frame for many; its home wakes us when it has told of all."""
    cdef uint64_t wait_us
    while inbox_waiting(plane.inbox) == 0:
        wait_us = rest_wait_us(plane, until_us)
        if wait_us == 0:
            return False
        if halqa_readable(plane.wake_descriptor, wait_us):
            halqa_drain(plane.wake_descriptor)
    return True


cdef uint64_t next_tick(const Core* core, uint64_t now_us) noexcept nogil:
    """Return when the next tick is due: while nobody sends, it has nothing to do before the next look at all rows."""
    if core.busy == NULL and core.replay_count == 0:
        return max(core.scan_due_us, now_us + TICK_US)
    return now_us + TICK_US


cdef int wait_ms(const Core* core, uint64_t due_us, uint64_t now_us) noexcept nogil:
    """Return how long to wait for datagrams: until something is due, or the next packet of a probe."""
    if core.probing_count:
        due_us = min(due_us, core.probing_due_us)
    if core.pacing != NULL:
        due_us = min(due_us, core.pacing_due_us)
    return <int>((due_us - now_us) // 1000) + 1 if due_us > now_us else 0


cdef void* run(void* argument) noexcept nogil:
    """The thread: wait, read a batch, forward each datagram, do what is due, send what is left."""
    cdef Plane* plane = <Plane*>argument
    cdef Core* core = &plane.core
    cdef uint64_t now_us, arrived_us, sent_before, due_us = 0
    cdef int timeout_ms, count = 0
    cdef bint forwarded
    halqa_prefer(plane.nice)
    arrival_enable(plane.descriptor)
    while not halqa_flag(&plane.stopping):
        if count < BATCH_MAX and (plane.inbox == NULL or inbox_waiting(plane.inbox) == 0):
            now_us = halqa_monotonic_us()
            timeout_ms = IDLE_WAIT_MS if core.transports == NULL else wait_ms(core, due_us, now_us)
            if timeout_ms and halqa_wait(plane.descriptor, plane.wake_descriptor, timeout_ms):
                halqa_drain(plane.wake_descriptor)
        arrival_ask(&core.receive, plane.control)
        count = receive_many(&core.receive, plane.descriptor)
        now_us = halqa_monotonic_us()
        arrived_us = now_us - arrival_age_us(&core.receive) if count else now_us
        sent_before = core.send.sent
        if count:
            take_batch(plane, count, now_us)
        if plane.inbox != NULL and inbox_waiting(plane.inbox):
            take_letters(plane, now_us)
        forwarded = count > 0 and (core.send.count > 0 or core.send.sent != sent_before)
        if now_us >= due_us:
            plane_lock(plane)
            tick(core, now_us)
            due_us = next_tick(core, now_us)
            plane_unlock(plane)
        elif (core.probing_count and now_us >= core.probing_due_us) or (
                core.pacing != NULL and now_us >= core.pacing_due_us):
            plane_lock(plane)
            core.now_us = now_us
            pacer_run(core)
            probing_run(core, now_us)
            plane_unlock(plane)
        if core.send.count:
            plane_lock(plane)  # Python's calls put key frame requests into the same batch
            send_flush(&core.send)
            plane_unlock(plane)
        if forwarded:
            latency_observe(&plane.latency, halqa_monotonic_us() - arrived_us)
    return NULL
