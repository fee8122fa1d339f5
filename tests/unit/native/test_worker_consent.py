"""Unit tests of a worker, driven by hand, that answers the repeated checks of its peers."""

from __future__ import annotations

import pytest

from media.native.worker import STUN, Worker
from media.rtp.parameters import Address
from media.transport.stun import BINDING_SUCCESS, parse_stun
from tests.unit.transport.support import ADDRESS, LOCAL, OTHER_ADDRESS, REMOTE, check

USERNAME = f"{LOCAL.ufrag}:{REMOTE.ufrag}".encode()
PASSWORD = LOCAL.password.encode()
TRANSPORT = 7
SECOND_US = 1_000_000


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.add_transport(TRANSPORT, 1, bytes(256), bytes(64))
    worker.set_address(TRANSPORT, *ADDRESS)
    worker.allow_address(TRANSPORT, *OTHER_ADDRESS)
    return worker


def feed(worker: Worker, datagram: bytes, source: Address = ADDRESS, now_us: int = SECOND_US) -> tuple[int, int]:
    """Give one datagram; return how many were answered at once, and how many became events."""
    worker.feed(datagram, source, now_us)
    events = [event for event in worker.drain_events() if event[0] == STUN]
    return len(worker.take_datagrams()), len(events)


def test_checks_are_events_until_the_worker_may_answer_them(worker: Worker) -> None:
    assert feed(worker, check()) == (0, 1)
    assert worker.take_checks(TRANSPORT) is None
    assert worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    assert feed(worker, check()) == (1, 0)
    assert worker.counters()["stun_answered"] == 1
    worker.leave_checks(TRANSPORT)
    assert feed(worker, check()) == (0, 1)


def test_the_answer_goes_where_the_check_came_from(worker: Worker) -> None:
    worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    worker.feed(check(transaction_id=b"twelve bytes"), ADDRESS, SECOND_US)
    ((answer, destination),) = worker.take_datagrams()
    assert destination == ADDRESS
    message = parse_stun(answer)
    assert (message.message_type, message.transaction_id) == (BINDING_SUCCESS, b"twelve bytes")
    assert message.has_integrity(PASSWORD)


def test_checks_from_another_address_of_the_peer_stay_events(worker: Worker) -> None:
    worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    assert feed(worker, check(), OTHER_ADDRESS) == (0, 1)


def test_where_nothing_may_be_sent_nothing_is_answered(worker: Worker) -> None:
    worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    worker.clear_address(TRANSPORT)
    assert feed(worker, check()) == (0, 1)
    assert not worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)


def test_new_credentials_replace_the_old(worker: Worker) -> None:
    worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    worker.answer_checks(TRANSPORT, b"other:name", b"other-password")
    assert feed(worker, check()) == (0, 1)
    assert feed(worker, check(username="other:name", password="other-password")) == (1, 0)


def test_the_age_of_the_last_check_and_its_id_are_told_once(worker: Worker) -> None:
    worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    feed(worker, check(transaction_id=b"first       "), now_us=SECOND_US)
    feed(worker, check(transaction_id=b"second      "), now_us=3 * SECOND_US)
    worker.tick(4 * SECOND_US)
    assert worker.take_checks(TRANSPORT) == (SECOND_US, b"first       second      ")
    assert worker.take_checks(TRANSPORT) is None


def test_a_name_that_is_too_long_is_left_to_the_agent(worker: Worker) -> None:
    assert not worker.answer_checks(TRANSPORT, b"u" * 129, PASSWORD)
    assert feed(worker, check()) == (0, 1)


def test_a_transport_takes_its_answers_with_it(worker: Worker) -> None:
    worker.answer_checks(TRANSPORT, USERNAME, PASSWORD)
    worker.remove_transport(TRANSPORT)
    with pytest.raises(KeyError):
        worker.take_checks(TRANSPORT)
    assert feed(worker, check()) == (0, 1)
