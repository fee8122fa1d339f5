"""What each receive section of an offer is for: as the client says in `slots`, else by the section's kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from media.rtp.parameters import MediaKind, Mid
from signaling.client_messages import SlotRequest
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import SlotKind
from signaling.sdp import NegotiatedOffer, RejectedSection, SlotSection

_DEFAULTS: Final = {MediaKind.AUDIO: SlotKind.AUDIO, MediaKind.VIDEO: SlotKind.VIDEO}


def check_slots(
    offer: NegotiatedOffer, requests: Sequence[SlotRequest], *, present: Callable[[Mid], SlotKind | None]
) -> dict[Mid, SlotKind]:
    """Return the purpose of every slot of the offer, or raise RequestError.

    `present` tells the purpose of the slots that are there already; they keep it. A request for a section that was
    rejected is passed over: the answer says so.
    """
    sections = {section.mid: section.consumer.kind for section in offer.sections if isinstance(section, SlotSection)}
    rejected = {section.mid for section in offer.sections if isinstance(section, RejectedSection)}
    kinds = {mid: present(mid) or _DEFAULTS[kind] for mid, kind in sections.items()}
    for request in requests:
        mid = Mid(request.mid)
        if mid in rejected:
            continue
        if mid not in sections:
            raise RequestError(ErrorCode.UNKNOWN_SLOT, f"slot {mid!r} is not a receive section of the offer")
        if request.kind.kind is not sections[mid] or present(mid) not in (None, request.kind):
            raise RequestError(ErrorCode.WRONG_KIND, f"section {mid!r} cannot be a slot for {request.kind.value}")
        kinds[mid] = request.kind
    return kinds
