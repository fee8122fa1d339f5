"""Hostile STUN: whatever arrives is answered, or counted and dropped, and leaves the agent as it was."""

from __future__ import annotations

from media.transport.counters import DropCounters
from media.transport.demux import classify, peek_ufrag
from media.transport.ice import IceAgent
from media.transport.outputs import SendDatagram
from media.transport.stun import MalformedStun, parse_stun
from tests.unit.transport.support import ADDRESS, LOCAL, OTHER_ADDRESS, REMOTE, START, check

_PLAIN = bytes(12)

SEEDS: list[bytes] = [
    check(transaction_id=_PLAIN),
    check(nominate=True, transaction_id=_PLAIN),
    check(controlled=True, transaction_id=_PLAIN),
    check(password="wrong", transaction_id=_PLAIN),
    check(username="a:b", transaction_id=_PLAIN),
    b"\x00\x11\x00\x00\x21\x12\xa4\x42" + _PLAIN,
    b"\x01\x01\x00\x00\x21\x12\xa4\x42" + _PLAIN,
    b"\x00\x01\x00\x08\x21\x12\xa4\x42" + _PLAIN + b"\x7f\xff\x00\x04abcd",
    b"",
]


def target(data: bytes) -> None:
    """Must never raise, except by a broken promise."""
    classify(data)
    peek_ufrag(data)
    agent = IceAgent(LOCAL, REMOTE, drops=DropCounters(), now=START)
    agent.receive(check(nominate=True), ADDRESS, now=START)
    agent.take_output()
    agent.receive(data, OTHER_ADDRESS, now=START + 1)
    outputs = agent.take_output()
    for output in outputs:
        if isinstance(output, SendDatagram):
            parse_stun(output.data)
    try:
        message = parse_stun(data)
    except MalformedStun:
        assert not outputs
        return
    if not message.has_integrity(LOCAL.password.encode()):
        assert agent.selected == ADDRESS
        assert not agent.is_validated(OTHER_ADDRESS, now=START + 1)
        assert sum(len(output.data) for output in outputs if isinstance(output, SendDatagram)) <= len(data)
