"""Unit tests of the inbox: what is left comes out whole and in order, and a full one refuses."""

from __future__ import annotations

import os
import threading

from media.native.inbox import Inbox


def test_what_is_left_comes_out_in_order() -> None:
    inbox = Inbox()
    assert inbox.take() is None
    for number in range(5):
        assert inbox.put(bytes([number]) * number, producer=number)
    assert [inbox.take() for _ in range(6)] == [*((number, bytes([number]) * number) for number in range(5)), None]


def test_a_full_one_refuses_and_counts_until_it_is_read() -> None:
    inbox = Inbox()
    accepted = sum(inbox.put(b"x") for _ in range(5000))
    assert (accepted, inbox.refused) == (4096, 904)
    assert inbox.take() == (0, b"x")
    assert inbox.put(b"y")
    assert not inbox.put(b"z")


def test_nothing_is_taken_for_a_reader_that_has_ended() -> None:
    inbox = Inbox()
    inbox.accept(False)
    assert not inbox.put(b"x")
    inbox.accept(True)
    assert inbox.put(b"x")


def test_a_letter_that_is_too_long_is_refused() -> None:
    assert not Inbox().put(bytes(1537))


def test_many_writers_lose_nothing() -> None:
    inbox = Inbox(os.eventfd(0))
    writers = [
        threading.Thread(
            target=lambda name=name: [inbox.put(number.to_bytes(2), producer=name) for number in range(500)]
        )
        for name in range(1, 9)
    ]
    for writer in writers:
        writer.start()
    taken: list[tuple[int, bytes]] = []
    while len(taken) < 8 * 500:
        letter = inbox.take()
        if letter is not None:
            taken.append(letter)
    for writer in writers:
        writer.join()
    for name in range(1, 9):
        assert [octets for producer, octets in taken if producer == name] == [n.to_bytes(2) for n in range(500)]
