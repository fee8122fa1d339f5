"""The C face of sealing RTP by AES-GCM."""

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    SEALER_TAG_BYTES = 16
    SEALER_SALT_BYTES = 12
    SEALER_CIPHER_BYTES = 192 # of what `cipher` and `state` point to, as far as fetching it ahead is concerned
    SEALER_STATE_BYTES = 960

ctypedef struct Sealer:
    void* cipher              # EVP_CIPHER_CTX, with its key
    const void* state         # where OpenSSL probably keeps that key's tables: never read, only fetched ahead
    uint8_t salt[SEALER_SALT_BYTES]

# Seal a packet in place; `header` bytes of it stay in clear. `index` is the number of the packet since its stream
# began, rollovers included: whoever calls never gives one index of one SSRC to two packets that differ. The tag's
# SEALER_TAG_BYTES are written behind. Return 0, or -1 if it cannot be.
cdef int seal_packet(const Sealer* sealer, uint8_t* packet, int header, int* size, uint64_t index) noexcept nogil
