"""What memory is wanted soon: a hint to the processor, which changes no value and makes nothing of a wrong address."""

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #define HALQA_CACHE_LINE 64
    static inline void halqa_prefetch(const void *first, size_t bytes) {
        uintptr_t line = (uintptr_t)first & ~(uintptr_t)(HALQA_CACHE_LINE - 1);
        for (; line < (uintptr_t)first + bytes; line += HALQA_CACHE_LINE) __builtin_prefetch((const void *)line);
    }
    """
    void halqa_prefetch(const void* first, size_t bytes) noexcept nogil
