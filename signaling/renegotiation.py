"""Another offer of somebody who is in: sections come and go, and the slots with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from media.rtp.parameters import Mid
from signaling.client_messages import Candidate, SlotRequest
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import SlotKind
from signaling.link import read_offer
from signaling.participant import Participant
from signaling.publications import Publications
from signaling.sdp import SdpError, parse_candidate
from signaling.slot_requests import check_slots


def renegotiate(participant: Participant, sdp: str, slots: Sequence[SlotRequest], publications: Publications) -> None:
    """Do what an offer asks for; the answer is in the participant's link. Raises RequestError or LinkBrokenError."""
    offer = read_offer(sdp)
    kinds = check_slots(offer, slots, present=participant.viewer.slot_kind)
    removed = participant.link.change(offer)
    for mid in removed:
        participant.viewer.remove_slot(mid)
    for track in [participant.tracks[mid] for mid in removed if mid in participant.tracks]:
        publications.end(participant, track)
    add_slots(participant, kinds)
    publications.introduce(participant.viewer)


def add_slots(participant: Participant, kinds: Mapping[Mid, SlotKind]) -> None:
    """Make slots of the receive sections that are new."""
    for mid, consumer in participant.link.consumers.items():
        if participant.viewer.slot_kind(mid) is None:
            participant.viewer.add_slot(mid, kinds[mid], consumer)


def check_candidate(participant: Participant, message: Candidate) -> None:
    """Raise RequestError for a candidate that makes no sense; an ICE-lite server has no use for the others."""
    if Mid(message.mid) not in participant.link.mids:
        raise RequestError(ErrorCode.UNKNOWN_SECTION, f"section {message.mid!r} is not in your offer")
    if message.candidate:  # "" is the end of candidates
        try:
            parse_candidate(message.candidate)
        except SdpError as error:
            raise RequestError(ErrorCode.BAD_MESSAGE, str(error)) from error
