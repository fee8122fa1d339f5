"""What later offers may change, and what they may not."""

from __future__ import annotations

import pytest

from signaling.sdp import OfferChange, SdpError, compare_offers, negotiate, parse_offer
from tests.unit.signaling.sdp.offers import FINGERPRINT, TRANSPORT, audio, offer, video

FIRST = offer(audio("0", "sendonly", "a=extmap:1 urn:a"), video("1", "recvonly"))


def rejected(section: list[str]) -> list[str]:
    return [section[0].replace(" 9 ", " 0 "), *section[1:]]


def change(after: str, before: str = FIRST) -> OfferChange:
    return compare_offers(negotiate(parse_offer(before)), negotiate(parse_offer(after)))


def summary(changed: OfferChange) -> tuple[bool, list[str], list[str]]:
    return changed.ice_restart, [section.mid for section in changed.added], list(changed.removed)


def test_the_same_offer_changes_nothing() -> None:
    assert change(FIRST) == OfferChange(ice_restart=False, added=(), removed=(), extensions={})


def test_an_order_of_codecs_or_fmtp_changes_nothing() -> None:
    before = offer(video("0", "sendonly", "a=rtpmap:98 VP9/90000", formats="96 97 98"))
    after = offer(video("0", "sendonly", "a=rtpmap:98 VP9/90000", "a=fmtp:96 max-fs=1", formats="98 96 97"))
    assert summary(change(after, before)) == (False, [], [])


@pytest.mark.parametrize("old", ["peer", "peerspasswordwith22chars"])
def test_new_ice_credentials_are_a_restart(old: str) -> None:
    assert summary(change(FIRST.replace(f":{old}\r\n", f":{old}2\r\n"))) == (True, [], [])


def test_sections_are_added_at_the_end() -> None:
    after = offer(
        audio("0", "sendonly", "a=extmap:1 urn:a"), video("1", "recvonly"), video("2", "sendonly", "a=extmap:2 urn:b")
    )
    changed = change(after)
    assert summary(changed) == (False, ["2"], [])
    assert changed.extensions == {2: "urn:b"}


def test_a_section_is_rejected_and_then_recycled() -> None:
    gone = offer(audio("0", "sendonly", "a=extmap:1 urn:a"), rejected(video("1", "recvonly")), bundle="0")
    assert summary(change(gone)) == (False, [], ["1"])
    assert summary(change(gone, gone)) == (False, [], [])
    recycled = offer(audio("0", "sendonly", "a=extmap:1 urn:a"), audio("7", "recvonly"))
    assert summary(change(recycled, gone)) == (False, ["7"], [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (video("0", "sendonly"), video("0", "recvonly")),
        (video("0", "sendonly"), video("0", "inactive")),
        (video("0", "sendonly", "a=ssrc:5 cname:x"), video("0", "sendonly", "a=ssrc:6 cname:x")),
        (video("0", "sendonly", "a=rid:q send"), video("0", "sendonly", "a=rid:f send")),
        (video("0", "sendonly"), video("0", "sendonly", formats="96")),
    ],
)
def test_a_section_with_another_role_or_streams_is_made_anew(before: list[str], after: list[str]) -> None:
    assert summary(change(offer(after), offer(before))) == (False, ["0"], ["0"])


@pytest.mark.parametrize(
    ("after", "complaint"),
    [
        (offer(audio("0", "sendonly", "a=extmap:1 urn:a")), "has 1 sections, the one before had 2"),
        (
            offer(audio("0", "sendonly"), video("2", "recvonly")),
            "section 1 was video with mid '1', and is video with mid '2'",
        ),
        (offer(video("0", "sendonly"), video("1", "recvonly")), "section 0 was audio"),
        (offer(audio("0", "sendonly", "a=extmap:1 urn:b"), video("1", "recvonly")), "id 1 was 'urn:a', and is 'urn:b'"),
        (FIRST.replace(FINGERPRINT, ":".join(["AC"] * 32)), "another certificate fingerprint"),
    ],
)
def test_what_must_stay_may_not_change(after: str, complaint: str) -> None:
    with pytest.raises(SdpError) as caught:
        change(after)
    assert complaint in str(caught.value)


def test_the_dtls_sides_may_not_turn_round() -> None:
    passive = (*TRANSPORT[:3], "a=setup:passive")
    after = offer(audio("0", "sendonly", "a=extmap:1 urn:a"), video("1", "recvonly"), session=passive)
    with pytest.raises(SdpError, match="setup:passive"):
        change(after)
