"""The C face of consent: a peer's repeated checks from where he is already."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from media.native.sha1 cimport HmacKey
from media.native.udp cimport AddressKey, UdpAddress

cdef enum:
    USERNAME_MAX = 128        # ours is 12 characters and a browser's 4; a longer one is left to Python
    TRANSACTION_BYTES = 12
    TRANSACTIONS_MAX = 24
    ANSWER_MAX = 128

ctypedef struct Consent:
    HmacKey key
    AddressKey source         # the only address whose checks are answered here
    uint8_t username[USERNAME_MAX]
    int username_bytes
    uint64_t heard_us         # the last check that was answered; 0: none yet
    uint64_t window_us
    int window_count
    uint32_t untold           # checks since Python asked last
    uint64_t answered
    uint8_t transactions[TRANSACTIONS_MAX][TRANSACTION_BYTES]

cdef Consent* consent_new(const uint8_t* username, int username_bytes, const uint8_t* password, size_t password_bytes,
        const UdpAddress* source) noexcept nogil
cdef void consent_free(Consent* consent) noexcept nogil
cdef int consent_answer(Consent* consent, const uint8_t* check, int size, const UdpAddress* source,
        uint64_t now_us, uint8_t* answer) noexcept nogil
cdef bytes consent_told(Consent* consent)
