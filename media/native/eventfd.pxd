"""Wake a thread that waits for an eventfd, from another; and take note of it."""

cdef extern from *:
    """
    #ifndef HALQA_EVENTFD
    #define HALQA_EVENTFD
    #include <stdint.h>
    #include <unistd.h>

    static inline void halqa_wake(int descriptor) {
        uint64_t one = 1;
        if (descriptor >= 0 && write(descriptor, &one, sizeof one) < 0) { /* the counter is full: it is awake */ }
    }
    static inline void halqa_drain(int descriptor) {
        uint64_t count;
        if (read(descriptor, &count, sizeof count) < 0) { /* somebody else read it: nothing to do */ }
    }
    #endif
    """
    void halqa_wake(int descriptor) noexcept nogil  # no descriptor (-1): nobody waits
    void halqa_drain(int descriptor) noexcept nogil
