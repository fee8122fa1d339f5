# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""SRTP through C pointers into the wheel's libsrtp: nothing of Python is between the worker and the cipher.

Sessions are made by pylibsrtp's public classes and owned here. A session is not locked: whoever holds its handle (the
data-plane thread) is the only one to use it, and must have let go of it before close().
"""

cimport cython
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport uint8_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from media.native import srtp_answers
from media.native.libsrtp import (
    Functions,
    Profile,
    SrtpError,
    SrtpStatus,
    SrtpUnavailable,
    create_session,
    locate_installed,
)

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030D0000
    #define halqa_is_finalizing Py_IsFinalizing
    #else
    #define halqa_is_finalizing _Py_IsFinalizing
    #endif
    """
    int halqa_is_finalizing()

cdef enum:
    PACKET_MAX = 65535  # bytes of a datagram

cdef srtp_function srtp_protect = NULL
cdef srtp_function srtp_unprotect = NULL
cdef srtp_function srtp_protect_rtcp = NULL
cdef srtp_function srtp_unprotect_rtcp = NULL


def load() -> None:
    """Find libsrtp's functions, check them and set the pointers; later calls do nothing.

    Raise SrtpUnavailable, with what was expected and what was found, and leave the pointers NULL.
    """
    global srtp_protect, srtp_unprotect, srtp_protect_rtcp, srtp_unprotect_rtcp
    if srtp_protect != NULL:
        return
    functions = locate_installed()
    verify(functions)
    srtp_protect = pointer(functions.protect)
    srtp_unprotect = pointer(functions.unprotect)
    srtp_protect_rtcp = pointer(functions.protect_rtcp)
    srtp_unprotect_rtcp = pointer(functions.unprotect_rtcp)


def verify(functions: Functions, answers=srtp_answers.KNOWN_ANSWERS) -> None:
    """Compute the known answers through these addresses; SrtpUnavailable at the first that differs."""
    for answer in answers:
        sealer, sealer_address = create_session(answer.profile, answer.key_and_salt, "outbound")
        opener, opener_address = create_session(answer.profile, answer.key_and_salt, "inbound")
        for function, address, packet, expected in (
            ("protect", sealer_address, srtp_answers.RTP_PACKET, answer.sealed_rtp),
            ("unprotect", opener_address, answer.sealed_rtp, srtp_answers.RTP_PACKET),
            ("protect_rtcp", sealer_address, srtp_answers.RTCP_PACKET, answer.sealed_rtcp),
            ("unprotect_rtcp", opener_address, answer.sealed_rtcp, srtp_answers.RTCP_PACKET),
        ):
            check_answer(functions, function, answer.profile, address, packet, expected)
        del sealer, opener  # they kept the addresses alive


cdef check_answer(functions, str function, profile, uintptr_t address, bytes packet, bytes expected):
    try:
        found = process(pointer(getattr(functions, function)), <void*>address, packet)
    except SrtpError as error:
        raise SrtpUnavailable(
            f"libsrtp's srtp_{function} failed its known-answer test for {profile.name}: {error}"
        ) from error
    if found != expected:
        raise SrtpUnavailable(
            f"libsrtp's srtp_{function} failed its known-answer test for {profile.name}: "
            f"expected {expected.hex()}, found {found.hex()}"
        )


cdef srtp_function pointer(uintptr_t address) noexcept:
    return <srtp_function><void*>address


cdef bytes process(srtp_function function, void* session, bytes packet):
    """Return the packet after `function`; SrtpError with its status if that is not 0."""
    cdef int size = <int>len(packet)
    cdef int status
    cdef uint8_t* buffer
    if len(packet) > PACKET_MAX:
        raise ValueError(f"A packet of {len(packet)} bytes, expected at most {PACKET_MAX}")
    buffer = <uint8_t*>malloc(size + SRTP_TRAILER_MAX)
    if buffer == NULL:
        raise MemoryError
    try:
        memcpy(buffer, <const char*>packet, size)
        status = function(session, buffer, &size)
        if status != 0:
            raise SrtpError(status)
        return (<char*>buffer)[:size]
    finally:
        free(buffer)


@cython.final
cdef class SrtpSession:
    """One direction of SRTP and SRTCP for any number of ssrcs under one master key."""

    cdef PyObject* session  # owned by hand: its release must not run while the interpreter ends
    cdef uintptr_t address

    def __cinit__(self, profile, bytes key_and_salt not None, str direction not None):
        load()
        if direction not in ("inbound", "outbound"):
            raise ValueError(f"Direction is {direction!r}, expected 'inbound' or 'outbound'")
        session, address = create_session(Profile(profile), key_and_salt, direction)
        self.address = address
        self.session = <PyObject*>session
        Py_INCREF(session)

    def __dealloc__(self):
        """Close, but not while the interpreter ends: pylibsrtp's names are gone then, and a thread may still run."""
        if not halqa_is_finalizing():
            self.release()

    cdef release(self):
        cdef object session
        if self.session != NULL:
            session = <object>self.session
            self.session = NULL
            self.address = 0
            Py_DECREF(session)  # the last reference but the local one: libsrtp frees its keys when we return

    cdef void* opened(self) except NULL:
        if self.session == NULL:
            raise ValueError("The SRTP session is closed")
        return <void*>self.address

    @property
    def handle(self):
        """Return the address of the srtp_t; ValueError after close()."""
        return <uintptr_t>self.opened()

    @property
    def closed(self):
        return self.session == NULL

    def close(self):
        """Free libsrtp's session now; later calls do nothing."""
        self.release()

    def protect(self, bytes packet not None):
        return process(srtp_protect, self.opened(), packet)

    def unprotect(self, bytes packet not None):
        return process(srtp_unprotect, self.opened(), packet)

    def protect_rtcp(self, bytes packet not None):
        return process(srtp_protect_rtcp, self.opened(), packet)

    def unprotect_rtcp(self, bytes packet not None):
        return process(srtp_unprotect_rtcp, self.opened(), packet)
