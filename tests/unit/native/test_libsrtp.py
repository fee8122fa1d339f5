"""The guard before libsrtp: a pylibsrtp of another shape must not be called, and the error says what is wrong."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from pylibsrtp._binding import ffi, lib

from media.errors import LocalError
from media.native import libsrtp, srtp
from media.native.libsrtp import SIGNATURE, Functions, SrtpUnavailable, locate, locate_installed
from media.native.srtp_answers import KNOWN_ANSWERS

OTHER_SIGNATURE = "<ctype 'srtp_err_status_t(*)(struct srtp_ctx_t_ *, unsigned char *, size_t, size_t *)'>"


def changed_ffi(**changes: Any) -> SimpleNamespace:
    """Return cffi's face with some of its functions replaced."""
    names = ("addressof", "cast", "sizeof", "typeof")
    return SimpleNamespace(**{name: changes.get(name, getattr(ffi, name)) for name in names})


def test_the_installed_library_passes() -> None:
    functions = locate_installed()
    assert functions == locate(ffi, lib, "1.0.7")
    assert len({*functions}) == 4
    srtp.verify(functions)
    srtp.load()
    srtp.load()


@pytest.mark.parametrize("version", ["0.12.0", "1.1.0", "2.0", "10.0.0", "unknown"])
def test_another_version_is_refused(version: str) -> None:
    with pytest.raises(SrtpUnavailable, match=rf"^pylibsrtp is {version}, expected 1\.0\.x: others were not tested$"):
        locate(ffi, lib, version)


def test_another_signature_is_refused() -> None:
    with pytest.raises(SrtpUnavailable) as raised:
        locate(changed_ffi(typeof=lambda function: OTHER_SIGNATURE), lib, "1.0.0")
    assert str(raised.value) == f"srtp_protect is {OTHER_SIGNATURE}, expected {SIGNATURE}"


def test_each_signature_is_checked() -> None:
    last = ffi.addressof(lib, "srtp_unprotect_rtcp")

    def typeof(function: Any) -> Any:
        return "something else" if function == last else ffi.typeof(function)

    with pytest.raises(SrtpUnavailable, match=r"^srtp_unprotect_rtcp is something else, expected"):
        locate(changed_ffi(typeof=typeof), lib, "1.0.0")


def test_a_missing_function_is_named() -> None:
    def addressof(library: Any, name: str) -> Any:
        if name == "srtp_protect_rtcp":
            raise AttributeError(name)
        return ffi.addressof(library, name)

    with pytest.raises(SrtpUnavailable, match=r"^pylibsrtp has no function srtp_protect_rtcp"):
        locate(changed_ffi(addressof=addressof), lib, "1.0.0")


def test_a_status_of_another_size_is_refused() -> None:
    with pytest.raises(SrtpUnavailable, match=r"^libsrtp's status has 8 bytes, expected 4$"):
        locate(changed_ffi(sizeof=lambda name: 8), lib, "1.0.0")


def test_a_missing_pylibsrtp_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylibsrtp._binding", None)
    with pytest.raises(SrtpUnavailable, match=r"^pylibsrtp 1\.0 is needed for SRTP, but does not import"):
        locate_installed()


@pytest.mark.parametrize(
    "swapped",
    [
        ("unprotect", "unprotect", "protect_rtcp", "unprotect_rtcp"),
        ("protect_rtcp", "unprotect", "protect_rtcp", "unprotect_rtcp"),
        ("protect", "protect", "protect_rtcp", "unprotect_rtcp"),
        ("protect", "unprotect", "protect", "unprotect_rtcp"),
        ("protect", "unprotect", "protect_rtcp", "unprotect"),
    ],
)
def test_a_function_that_computes_something_else_is_refused(swapped: tuple[str, str, str, str]) -> None:
    right = locate_installed()
    wrong = Functions(*[getattr(right, name) for name in swapped])
    [bad] = [name for name, found in zip(Functions._fields, swapped, strict=True) if name != found]
    message = rf"^libsrtp's srtp_{bad} failed its known-answer test for AEAD_AES_128_GCM: "
    with pytest.raises(SrtpUnavailable, match=message):
        srtp.verify(wrong)


@pytest.mark.parametrize("answer", KNOWN_ANSWERS, ids=lambda answer: answer.profile.name)
@pytest.mark.parametrize("field", ["sealed_rtp", "sealed_rtcp"])
def test_another_answer_is_refused_and_shown(answer: Any, field: str) -> None:
    expected = bytes(len(getattr(answer, field)))
    found = getattr(answer, field)
    function = "protect" if field == "sealed_rtp" else "protect_rtcp"
    with pytest.raises(SrtpUnavailable) as raised:
        srtp.verify(locate_installed(), [answer._replace(**{field: expected})])
    assert str(raised.value) == (
        f"libsrtp's srtp_{function} failed its known-answer test for {answer.profile.name}: "
        f"expected {expected.hex()}, found {found.hex()}"
    )


def test_it_is_our_fault_and_there_is_no_fallback() -> None:
    assert issubclass(SrtpUnavailable, LocalError)
    assert not hasattr(libsrtp, "fallback")
