"""What people do in a class beside their media: hands in order, reactions, messages, kept state."""

from __future__ import annotations

from typing import Any, Literal, assert_never

from signaling.client_messages import EVERYBODY, ConductMessage, Hand, React, Recipients, Send, SetState
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import ParticipantId
from signaling.kept_state import KeptState, check_json
from signaling.limits import MESSAGE_BYTES_MAX, ROOM_REACTIONS, ROOM_STATE_LIMITS
from signaling.members import Members
from signaling.outbox import Outbox
from signaling.pace import Allowance
from signaling.participant import Participant
from signaling.policy import check_moderate, check_send
from signaling.replay import EVENT_BYTES
from signaling.server_messages import HandsChanged, MessageSent, Reaction, StateChanged


class Conduct:
    """Holds hands and state of one room; everything else passes through."""

    def __init__(self, outbox: Outbox, members: Members) -> None:
        self.hands: dict[ParticipantId, None] = {}
        """Who has a hand up, in the order in which they went up."""
        self.state = KeptState(ROOM_STATE_LIMITS)
        self._outbox = outbox
        self._members = members
        self._reactions = Allowance(ROOM_REACTIONS)

    def handle(self, sender: Participant, message: ConductMessage, *, now: float) -> None:
        """Do what somebody asks; raises RequestError."""
        match message:
            case Hand():
                self._hand(sender, message, now)
            case React():
                check_send(sender.grants)
                _take(sender.reactions, "reactions", now)
                _take(self._reactions, "reactions of the room", now)
                self._outbox.tell_all(Reaction(participant=sender.id, reaction=message.reaction))
            case Send():
                check_send(sender.grants)
                _take(sender.sends, "messages", now)
                self.send(message.body, to=message.to, topic=message.topic, sender=sender.id)
            case SetState():
                self._set_state(sender, message, now)
            case _:
                assert_never(message)

    def send(
        self, body: Any, *, to: Literal["all"] | Recipients, topic: str, sender: ParticipantId | None = None
    ) -> None:
        """Pass a message on, to its sender too; without a sender it is the server's own. Raises RequestError."""
        size_bytes = check_json(body, bytes_max=MESSAGE_BYTES_MAX)
        recipients = self._members.addressed(to)
        if sender is not None and sender not in recipients:
            recipients = (*recipients, sender)
        message = MessageSent(seq=self._outbox.next_seq(), topic=topic, body=body, participant=sender, to=to)
        self._outbox.announce(message, to=recipients, size_bytes=EVENT_BYTES + size_bytes)

    def forget(self, participant: ParticipantId) -> None:
        """Lower the hand of somebody who is gone; `left` says so."""
        self.hands.pop(participant, None)

    def _hand(self, sender: Participant, message: Hand, now: float) -> None:
        if message.participant is None:
            self._own_hand(sender, message, now)
            return
        check_moderate(sender.grants)
        if message.raised:
            raise RequestError(ErrorCode.NOT_ALLOWED, "nobody raises the hand of somebody else")
        if message.participant == EVERYBODY:
            lowered = tuple(self.hands)
        else:
            other = self._members.find(message.participant).id
            lowered = (other,) if other in self.hands else ()
        for each in lowered:
            del self.hands[each]
        if lowered:
            self._outbox.announce(HandsChanged(seq=self._outbox.next_seq(), lowered=lowered))

    def _own_hand(self, sender: Participant, message: Hand, now: float) -> None:
        if message.raised:
            check_send(sender.grants)
        if message.raised == (sender.id in self.hands):
            return
        if message.raised:
            _take(sender.hand_raises, "raised hands", now)
            self.hands[sender.id] = None
            self._outbox.announce(HandsChanged(seq=self._outbox.next_seq(), raised=(sender.id,)))
        else:
            del self.hands[sender.id]
            self._outbox.announce(HandsChanged(seq=self._outbox.next_seq(), lowered=(sender.id,)))

    def _set_state(self, sender: Participant, message: SetState, now: float) -> None:
        if message.scope == "room":
            check_moderate(sender.grants)
        check_send(sender.grants)
        _take(sender.sends, "messages", now)
        state = self.state if message.scope == "room" else sender.state
        size_bytes = state.check(message.key, message.value, if_version=message.if_version)
        seq = self._outbox.next_seq()
        state.put(message.key, message.value, version=seq, size_bytes=size_bytes)
        owner = None if message.scope == "room" else sender.id
        changed = StateChanged(seq=seq, key=message.key, value=message.value, participant=owner)
        self._outbox.announce(changed, size_bytes=EVENT_BYTES + size_bytes)


def _take(allowance: Allowance, what: str, now: float) -> None:
    if not allowance.take(now=now):
        raise RequestError(ErrorCode.RATE_LIMITED, f"too many {what}: try again later")
