"""Where libsrtp's functions are inside the pylibsrtp wheel, and what must be so before native code may call them.

The wheel's libsrtp is the fast one (OpenSSL, AES-NI), but its C functions are reached through private names, and a call
with another signature would corrupt memory silently. So nothing is taken on trust: version, signatures, and known
answers (media/native/srtp.pyx computes them through the very pointers that it will use). There is no fallback.
"""

from __future__ import annotations

from enum import IntEnum
from importlib import import_module
from typing import Any, Literal, NamedTuple

from media.errors import LocalError, MediaError

Direction = Literal["inbound", "outbound"]

VERSION_TESTED = "1.0"  # of pylibsrtp, its first two parts: the private names may move in any other
SIGNATURE = "<ctype 'srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)'>"
STATUS_BYTES = 4  # of srtp_err_status_t, which native code takes for an int
REPLAY_WINDOW_PACKETS = 1024  # retransmissions under their own number come late (RFC 3711 3.3.2 asks for 64 at least)


class SrtpUnavailable(LocalError):
    """The installed pylibsrtp is not one that native code may call. The server must not start."""


class SrtpError(MediaError):
    """libsrtp refused a packet."""

    def __init__(self, status: int) -> None:
        names = {known.value: known.name for known in SrtpStatus}
        super().__init__(f"libsrtp refused the packet with status {status} ({names.get(status, 'unexpected')})")
        self.status = status


class SrtpStatus(IntEnum):
    """The statuses of libsrtp (srtp_err_status_t) that packets from the network cause."""

    OK = 0
    BAD_PARAM = 2  # too short, or header fields that leave the packet
    AUTH_FAIL = 7
    REPLAY_FAIL = 9  # came before
    REPLAY_OLD = 10  # below the replay window
    PARSE_ERR = 21


class Profile(IntEnum):
    """DTLS-SRTP protection profiles by their registered numbers (RFC 5764 4.1.2, RFC 7714 14.2)."""

    AES128_CM_SHA1_80 = 0x0001
    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008

    @property
    def key_bytes(self) -> int:
        return 32 if self is Profile.AEAD_AES_256_GCM else 16

    @property
    def salt_bytes(self) -> int:
        return 14 if self is Profile.AES128_CM_SHA1_80 else 12


class Functions(NamedTuple):
    """Addresses of four C functions of one signature: int (void *session, void *packet, int *size)."""

    protect: int
    unprotect: int
    protect_rtcp: int
    unprotect_rtcp: int


def locate_installed() -> Functions:
    """Return the functions of the installed pylibsrtp; SrtpUnavailable says what was expected and what was found."""
    binding = import_binding()
    return locate(binding.ffi, binding.lib, import_module("pylibsrtp").__version__)


def import_binding() -> Any:
    """Return the module of pylibsrtp that holds libsrtp and its OpenSSL; SrtpUnavailable if there is none."""
    try:
        return import_module("pylibsrtp._binding")
    except ImportError as error:
        raise SrtpUnavailable(f"pylibsrtp {VERSION_TESTED} is needed for SRTP, but does not import: {error}") from error


def locate(ffi: Any, lib: Any, version: str) -> Functions:
    """Return the functions in this cffi library, if version and signatures are the tested ones."""
    if version.split(".")[:2] != VERSION_TESTED.split("."):
        raise SrtpUnavailable(f"pylibsrtp is {version}, expected {VERSION_TESTED}.x: others were not tested")
    status_bytes = ffi.sizeof("srtp_err_status_t")
    if status_bytes != STATUS_BYTES:
        raise SrtpUnavailable(f"libsrtp's status has {status_bytes} bytes, expected {STATUS_BYTES}")
    return Functions(*[_locate_one(ffi, lib, f"srtp_{name}") for name in Functions._fields])


def _locate_one(ffi: Any, lib: Any, name: str) -> int:
    try:
        function = ffi.addressof(lib, name)
    except AttributeError as error:
        raise SrtpUnavailable(f"pylibsrtp has no function {name}: {error}") from error
    signature = str(ffi.typeof(function))
    if signature != SIGNATURE:
        raise SrtpUnavailable(f"{name} is {signature}, expected {SIGNATURE}")
    return int(ffi.cast("uintptr_t", function))


def check_key(profile: Profile, key_and_salt: bytes) -> None:
    """ValueError for a master key and salt that are not as long as the profile's."""
    expected = profile.key_bytes + profile.salt_bytes
    if len(key_and_salt) != expected:
        raise ValueError(f"Key and salt are {len(key_and_salt)} bytes, expected {expected} for {profile.name}")


def create_session(profile: Profile, key_and_salt: bytes, direction: Direction) -> tuple[object, int]:
    """Return a pylibsrtp session for any ssrc, and the address of its srtp_t, which lives as long as the session."""
    check_key(profile, key_and_salt)
    ffi = import_binding().ffi
    library = import_module("pylibsrtp")  # not at our import: it initialises libsrtp
    profiles = {
        Profile.AES128_CM_SHA1_80: library.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        Profile.AEAD_AES_128_GCM: library.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        Profile.AEAD_AES_256_GCM: library.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    }
    directions = {"inbound": library.Policy.SSRC_ANY_INBOUND, "outbound": library.Policy.SSRC_ANY_OUTBOUND}
    policy = library.Policy(key=key_and_salt, ssrc_type=directions[direction], srtp_profile=profiles[profile])
    policy.window_size = REPLAY_WINDOW_PACKETS
    policy.allow_repeat_tx = True  # a retransmission without RTX is the same packet once more
    session = library.Session(policy)
    return session, int(ffi.cast("uintptr_t", session._srtp[0]))
