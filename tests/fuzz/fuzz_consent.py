"""Fuzz consent: what is answered without Python, the ICE agent answers alike, and it moves nothing."""

from __future__ import annotations

from media.native.consent import Answerer
from media.transport.counters import DropCounters
from media.transport.ice import IceAgent
from media.transport.outputs import SendDatagram
from tests.unit.transport.support import ADDRESS, LOCAL, REMOTE, START, check

_PLAIN = bytes(12)

SEEDS: list[bytes] = [
    check(transaction_id=_PLAIN),
    check(nominate=True, transaction_id=_PLAIN),
    check(controlled=True, transaction_id=_PLAIN),
    check(password="wrong", transaction_id=_PLAIN),
    check(username="a:b", transaction_id=_PLAIN),
    b"\x00\x01\x00\x08\x21\x12\xa4\x42" + _PLAIN + b"\x7f\xff\x00\x04abcd",
    b"",
]


def target(data: bytes) -> None:
    username = f"{LOCAL.ufrag}:{REMOTE.ufrag}".encode()
    answer = Answerer(username, LOCAL.password.encode(), ADDRESS).answer(data, ADDRESS)
    if answer is None:
        return
    agent = IceAgent(LOCAL, REMOTE, drops=DropCounters(), now=START)
    agent.receive(check(nominate=True), ADDRESS, now=START)
    agent.take_output()
    agent.receive(data, ADDRESS, now=START + 1)
    assert agent.take_output() == [SendDatagram(answer, ADDRESS)]
