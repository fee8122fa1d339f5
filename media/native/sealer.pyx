# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Seal RTP by AES-GCM (RFC 7714) straight through OpenSSL, under an index that the caller knows.

libsrtp finds a packet's stream by its SSRC, guesses its index and keeps a window of replays also for what it seals
itself. For a thousand viewers, whose rows are never in the cache, that costs twice what the cipher does. We number
what we send and so need none of it. RTCP, and all that comes in, stays libsrtp's.
"""

cimport cython
from libc.stdint cimport uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from media.native import srtp_answers
from media.native.libcrypto import CipherFunctions, derive_rtp_keys, locate_cipher
from media.native.libsrtp import Profile, SrtpUnavailable, check_key

cdef enum:
    GET_TAG = 0x10                # EVP_CTRL_AEAD_GET_TAG
    PACKET_MAX = 65535            # bytes of a datagram
    HEADER_BYTES_MIN = 12         # of RTP
    SSRC_AT = 8
    CIPHER_STATE_AT = 176         # of EVP_CIPHER_CTX, in the OpenSSL 3.5 of the wheel: `algctx`
    INDEX_BITS = 48               # rollover counter and sequence number (RFC 3711 section 3.3.1)

ctypedef void* (*new_function)() noexcept nogil
ctypedef void (*free_function)(void* context) noexcept nogil
ctypedef int (*control_function)(void* context, int type, int argument, void* pointer) noexcept nogil
ctypedef int (*init_function)(void* context, const void* cipher, void* engine, const uint8_t* key,
    const uint8_t* iv) noexcept nogil
ctypedef int (*cipher_function)(void* context, uint8_t* out, const uint8_t* data, unsigned int size) noexcept nogil

cdef struct OpenSsl:
    new_function context_new
    free_function context_free
    control_function control
    init_function encrypt_init
    cipher_function encrypt
    new_function aes_128_gcm
    new_function aes_256_gcm

cdef OpenSsl openssl              # all NULL until load() succeeded

GCM_PROFILES = (Profile.AEAD_AES_128_GCM, Profile.AEAD_AES_256_GCM)


def load() -> None:
    """Find OpenSSL's functions, check them and set the pointers; later calls do nothing.

    Raise SrtpUnavailable, with what was expected and what was found, and leave the pointers NULL.
    """
    global openssl
    if openssl.context_new != NULL:
        return
    functions = locate_cipher()
    verify(functions)
    openssl = pointers(functions)


def verify(functions: CipherFunctions) -> None:
    """Seal the known packets through these addresses; SrtpUnavailable at the first that differs."""
    cdef OpenSsl found = pointers(functions)
    cdef Sealer sealer
    cdef uint8_t packet[256]
    cdef int size
    for answer in srtp_answers.KNOWN_ANSWERS:
        if answer.profile not in GCM_PROFILES:
            continue
        open_sealer(&found, &sealer, answer.profile, answer.key_and_salt)
        size = len(srtp_answers.RTP_PACKET)
        memcpy(packet, <const uint8_t*>srtp_answers.RTP_PACKET, size)
        done = seal_with(&found, &sealer, packet, HEADER_BYTES_MIN, &size, packet[2] << 8 | packet[3])
        found.context_free(sealer.cipher)
        if done < 0 or packet[:size] != answer.sealed_rtp:
            raise SrtpUnavailable(
                f"OpenSSL failed its known-answer test for {answer.profile.name}: "
                f"expected {answer.sealed_rtp.hex()}, found {packet[:size].hex() if done == 0 else 'a refusal'}"
            )


cdef OpenSsl pointers(functions):
    cdef OpenSsl found
    found.context_new = <new_function><void*><uintptr_t>functions.EVP_CIPHER_CTX_new
    found.context_free = <free_function><void*><uintptr_t>functions.EVP_CIPHER_CTX_free
    found.control = <control_function><void*><uintptr_t>functions.EVP_CIPHER_CTX_ctrl
    found.encrypt_init = <init_function><void*><uintptr_t>functions.EVP_EncryptInit_ex
    found.encrypt = <cipher_function><void*><uintptr_t>functions.EVP_Cipher
    found.aes_128_gcm = <new_function><void*><uintptr_t>functions.EVP_aes_128_gcm
    found.aes_256_gcm = <new_function><void*><uintptr_t>functions.EVP_aes_256_gcm
    return found


cdef int open_sealer(const OpenSsl* found, Sealer* sealer, profile, bytes key_and_salt) except -1:
    """Make a cipher with its key; SrtpUnavailable if OpenSSL refuses."""
    cdef bytes key, salt
    cdef void* kind
    key, salt = derive_rtp_keys(profile, key_and_salt)
    kind = found.aes_256_gcm() if profile is Profile.AEAD_AES_256_GCM else found.aes_128_gcm()
    memcpy(sealer.salt, <const uint8_t*>salt, SEALER_SALT_BYTES)
    sealer.cipher = found.context_new()
    if sealer.cipher == NULL:
        raise MemoryError
    if kind == NULL or found.encrypt_init(sealer.cipher, kind, NULL, <const uint8_t*>key, NULL) != 1:
        found.context_free(sealer.cipher)
        sealer.cipher = NULL
        raise SrtpUnavailable(f"OpenSSL takes no key for {profile.name}")
    memcpy(&sealer.state, <const uint8_t*>sealer.cipher + CIPHER_STATE_AT, sizeof(void*))
    return 0


cdef int seal_packet(const Sealer* sealer, uint8_t* packet, int header, int* size, uint64_t index) noexcept nogil:
    return seal_with(&openssl, sealer, packet, header, size, index)


cdef inline int seal_with(const OpenSsl* found, const Sealer* sealer, uint8_t* packet, int header, int* size,
        uint64_t index) noexcept nogil:
    cdef uint8_t iv[SEALER_SALT_BYTES]
    cdef int i, payload = size[0] - header
    if header < HEADER_BYTES_MIN or payload < 0 or index >> INDEX_BITS:
        return -1
    memcpy(iv, sealer.salt, SEALER_SALT_BYTES)
    for i in range(4):
        iv[2 + i] ^= packet[SSRC_AT + i]
    for i in range(6):
        iv[6 + i] ^= <uint8_t>(index >> (40 - 8 * i))
    if (
        found.encrypt_init(sealer.cipher, NULL, NULL, NULL, iv) != 1
        or found.encrypt(sealer.cipher, NULL, packet, header) < 0
        or (payload > 0 and found.encrypt(sealer.cipher, packet + header, packet + header, payload) < 0)
        or found.encrypt(sealer.cipher, NULL, NULL, 0) < 0
        or found.control(sealer.cipher, GET_TAG, SEALER_TAG_BYTES, packet + size[0]) != 1
    ):
        return -1
    size[0] += SEALER_TAG_BYTES
    return 0


@cython.final
cdef class PacketSealer:
    """RTP of any number of ssrcs under one master key, one way. GCM alone: ValueError for another profile."""

    cdef Sealer sealer

    def __cinit__(self, profile, bytes key_and_salt not None):
        load()
        profile = Profile(profile)
        if profile not in GCM_PROFILES:
            raise ValueError(f"Profile is {profile.name}, expected one of GCM")
        check_key(profile, key_and_salt)
        open_sealer(&openssl, &self.sealer, profile, key_and_salt)

    def __dealloc__(self):
        self.release()

    cdef void release(self) noexcept:
        if self.sealer.cipher != NULL:
            openssl.context_free(self.sealer.cipher)
            self.sealer.cipher = NULL

    cdef Sealer* opened(self) except NULL:
        if self.sealer.cipher == NULL:
            raise ValueError("The sealer is closed")
        return &self.sealer

    @property
    def handle(self):
        """Return the address of the Sealer, which lives as long as this object; ValueError after close()."""
        return <uintptr_t>self.opened()

    @property
    def closed(self):
        return self.sealer.cipher == NULL

    def close(self):
        """Free the key now; later calls do nothing."""
        self.release()

    def seal(self, bytes packet not None, int header_bytes, uint64_t index):
        """Return a packet sealed under this index, its first `header_bytes` in clear.

        ValueError for a header of less than 12 bytes or longer than the packet, an index beyond 48 bits, or a packet
        that no datagram holds.
        """
        cdef Sealer* sealer = self.opened()
        cdef int size = <int>len(packet)
        cdef uint8_t* buffer
        if not HEADER_BYTES_MIN <= header_bytes <= len(packet) <= PACKET_MAX or index >> INDEX_BITS:
            raise ValueError(
                f"A packet of {len(packet)} bytes with a header of {header_bytes} and index {index}, expected "
                f"{HEADER_BYTES_MIN} <= header <= packet <= {PACKET_MAX} and an index of {INDEX_BITS} bits"
            )
        buffer = <uint8_t*>malloc(size + SEALER_TAG_BYTES)
        if buffer == NULL:
            raise MemoryError
        try:
            memcpy(buffer, <const uint8_t*>packet, size)
            if seal_packet(sealer, buffer, header_bytes, &size, index) < 0:
                raise SrtpUnavailable(f"OpenSSL refused to seal a packet of {len(packet)} bytes")
            return (<char*>buffer)[:size]
        finally:
            free(buffer)
