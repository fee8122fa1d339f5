"""The sizes of a layered stream: remembered while they are held back, and folded into what the publisher is told."""

from __future__ import annotations

from media.rtp.parameters import Rid
from signaling.sending import Sending
from signaling.server_messages import EncodingWanted
from signaling.sizes import Sizes
from tests.unit.signaling.fake_engine import FakeEncoding


def sizes(*heights: int) -> list[FakeEncoding]:
    return [FakeEncoding(None, height * 16 // 9, height) for height in heights]


def divided(*heights: int) -> Sending:
    sending = Sending([None])
    sending.limit(2_000_000)
    sending.divide(heights)
    return sending


def scale(sending: Sending) -> float:
    (only,) = sending.view()
    return only.scale_resolution_down_by


def test_larger_sizes_are_remembered_while_only_smaller_ones_are_sent() -> None:
    known = Sizes()
    known.keep(sizes(180, 360, 720))
    assert [each.height for each in known.keep(sizes(180))] == [180, 360, 720]
    assert [each.height for each in known.keep(sizes(181, 362))] == [181, 362, 720], "encoders round"
    assert [each.height for each in known.keep(sizes(0))] == [0, 362, 720], "not told yet"


def test_another_picture_is_not_taken_for_the_smaller_sizes_of_the_last() -> None:
    known = Sizes()
    known.keep(sizes(180, 360, 720))
    assert [each.height for each in known.keep(sizes(270, 540))] == [270, 540]
    known.forget()
    assert [each.height for each in known.keep(sizes(270))] == [270]


def test_of_what_is_held_back_nothing_came_meanwhile() -> None:
    known = Sizes()
    known.keep(sizes(180, 360, 720))
    assert known.keep_bytes((10, 40, 160)) == (0, 0, 0), "whatever came before"
    assert known.keep_bytes((15, 60, 200)) == (5, 20, 40)
    assert known.keep_bytes((900,)) == (5, 20, 40), "the whole stream is counted, not what is in it of one size"
    assert known.keep_bytes((910,)) == (15, 20, 40)
    assert known.keep_bytes((3, 5, 9)) == (15, 20, 40), "the stream began anew"
    assert known.keep_bytes((4, 8, 14)) == (16, 23, 45)


def test_the_publisher_is_told_how_much_smaller_than_the_largest_is_enough() -> None:
    sending = divided(180, 360, 720)
    assert sending.asked == (True, True, True)
    assert not sending.want(1, active=False), "the largest needs it"
    assert sending.want(2, active=False)
    assert scale(sending) == 4
    assert sending.want(1, active=True)
    assert scale(sending) == 2
    assert sending.want(2, active=True)
    assert scale(sending) == 1


def test_nothing_wanted_is_an_encoding_that_rests() -> None:
    sending = divided(180, 360, 720)
    for index in (1, 2, 0):
        sending.want(index, active=False)
    assert sending.view() == (EncodingWanted(rid=None, active=False, max_bitrate_bps=2_000_000),)


def test_sizes_need_not_be_halves_of_each_other() -> None:
    by_half = divided(480, 720)
    by_half.want(1, active=False)
    assert scale(by_half) == 1.5
    rounded = divided(89, 179, 358)
    rounded.want(1, active=False)
    rounded.want(2, active=False)
    assert scale(rounded) == 4
    unknown = divided(0, 0, 0)
    unknown.want(2, active=False)
    assert scale(unknown) == 2


def test_sizes_that_are_new_are_wanted_as_the_largest_was() -> None:
    sending = divided(180)
    assert not sending.divide((180, 360, 720))
    assert all(sending.asked)
    sending.want(2, active=False)
    assert sending.divide((180,)), "what was told does not hold for another picture"
    assert len(sending.asked) == 1
    assert all(sending.asked)


def test_a_simulcast_has_no_sizes() -> None:
    sending = Sending([Rid("q"), Rid("f")])
    assert not sending.divide((180, 720))
    sending.want(1, active=False)
    assert [each.scale_resolution_down_by for each in sending.view()] == [1, 1]
