"""Fragments of SDP: what a PATCH may hold, what answers it, and everything hostile."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.parameters import IceCredentials
from signaling.sdp import SdpError, parse_offer
from signaling.whip.fragments import Fragment, build_fragment, parse_fragment, renew_credentials
from tests.unit.signaling.offers import sdk_offer

CREDENTIALS = "a=ice-ufrag:wxyz\r\na=ice-pwd:wwwwwwwwwwwwwwwwwwwwwwww\r\n"
SECTION = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
CANDIDATE = "a=candidate:1 1 udp 2113937151 192.0.2.7 54321 typ host\r\n"
ICE = IceCredentials("wxyz", "w" * 24)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CREDENTIALS, Fragment(ICE, (), 0)),
        (CREDENTIALS.replace("\r", ""), Fragment(ICE, (), 0)),
        (CREDENTIALS + SECTION + CANDIDATE + "a=end-of-candidates\r\n", Fragment(ICE, ("0",), 1)),  # type: ignore[arg-type]
        (SECTION + CREDENTIALS + CANDIDATE + CANDIDATE, Fragment(ICE, ("0",), 2)),  # type: ignore[arg-type]
        ("a=group:BUNDLE 0 1\r\n" + SECTION, Fragment(None, ("0",), 0)),  # type: ignore[arg-type]
        (CREDENTIALS + CANDIDATE, Fragment(ICE, (), 1)),
    ],
)
def test_what_a_fragment_says(text: str, expected: Fragment) -> None:
    assert parse_fragment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=0\r\n",
        "x",
        "a=ice-ufrag:wxyz\r\n",
        SECTION + "a=mid:1\r\n",
        CREDENTIALS + CREDENTIALS,
        "a=candidate:x\r\n",
    ],
)
def test_what_is_no_fragment(text: str) -> None:
    with pytest.raises(SdpError):
        parse_fragment(text)


@given(st.text(st.sampled_from("am=:ice-ufragpwd 0\r\n\x00\ud800é"), max_size=80) | st.text(max_size=80))
def test_anything_else_is_refused_in_one_way(text: str) -> None:
    with contextlib.suppress(SdpError):
        parse_fragment(text)


def test_a_renewed_offer_differs_in_its_credentials_alone() -> None:
    offer = sdk_offer()
    renewed = renew_credentials(offer, ICE)
    assert {section.transport.ice for section in parse_offer(renewed).sections} == {ICE}
    before, after = offer.split("\r\n"), renewed.split("\r\n")
    assert all(old == new or old.startswith("a=ice-") for old, new in zip(before, after, strict=True))


def test_a_fragment_of_an_answer_is_its_first_section_in_use() -> None:
    answer = (
        "v=0\r\na=ice-lite\r\na=group:BUNDLE 1\r\nm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 192.0.2.1\r\na=mid:1\r\na=sendonly\r\na=ice-ufrag:u\r\n"
        "a=ice-pwd:p\r\na=candidate:1\r\na=end-of-candidates\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:2\r\n"
    )
    assert build_fragment(answer) == (
        "a=ice-lite\r\na=group:BUNDLE 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:u\r\n"
        "a=ice-pwd:p\r\na=candidate:1\r\na=end-of-candidates\r\n"
    )
