"""When a client comes back, and how."""

from __future__ import annotations

import pytest

from signaling.client.reconnect import Reconnection, ReconnectPolicy, Way
from signaling.codes import CloseCode


def machine(policy: ReconnectPolicy | None = None, *, renewable: bool = False, chance: float = 0.0) -> Reconnection:
    return Reconnection(policy or ReconnectPolicy(), renewable=renewable, chance=lambda: chance)


def test_every_close_code_has_a_way() -> None:
    ways = {code: machine().lost(code, now=0.0) for code in CloseCode}
    assert {code for code, way in ways.items() if way is Way.NEVER} == {
        CloseCode.NORMAL,
        CloseCode.BAD_JOIN,
        CloseCode.TOKEN_EXPIRED,
        CloseCode.REPLACED,
        CloseCode.REMOVED,
        CloseCode.RESUMED,
        CloseCode.ENDED,
    }
    assert {code for code, way in ways.items() if way is Way.RESUME} == {CloseCode.SLOW_READER, CloseCode.TOO_LONG}


@pytest.mark.parametrize("code", [None, 1001, 1006, 1012, 4999])
def test_a_broken_connection_is_resumed(code: int | None) -> None:
    assert machine().lost(code, now=0.0) is Way.RESUME


@pytest.mark.parametrize(("code", "way"), [("shutting_down", Way.JOIN), ("banned", Way.NEVER), (None, Way.NEVER)])
def test_a_refused_join_is_tried_again_if_the_reason_passes(code: str | None, way: Way) -> None:
    assert machine().lost(CloseCode.BAD_JOIN, code, now=0.0) is way


def test_an_expired_token_is_no_end_for_who_makes_another() -> None:
    assert machine(renewable=True).lost(CloseCode.TOKEN_EXPIRED, now=0.0) is Way.JOIN


def test_waiting_again_is_a_choice() -> None:
    assert machine().lost(CloseCode.SENT_BACK, now=0.0) is Way.JOIN
    assert machine(ReconnectPolicy(wait_again=False)).lost(CloseCode.SENT_BACK, now=0.0) is Way.NEVER


def test_media_that_never_comes_about_is_given_up() -> None:
    one = machine()
    assert [one.lost(CloseCode.MEDIA_FAILED, now=0.0) for _ in range(3)] == [Way.JOIN, Way.JOIN, Way.NEVER]
    other = machine()
    other.lost(CloseCode.MEDIA_FAILED, now=0.0)
    other.lost(CloseCode.MEDIA_FAILED, now=0.0)
    other.media_connected()
    assert other.lost(CloseCode.MEDIA_FAILED, now=0.0) is Way.JOIN


def test_delays_grow_to_a_limit_and_begin_anew() -> None:
    one = machine()
    one.connected()
    assert [one.next_delay(now=0.0) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 4.0, 4.0]
    one.connected()
    assert one.next_delay(now=9.0) == 0.1


def test_delays_differ_from_client_to_client() -> None:
    one = machine(chance=1.0)
    one.connected()
    assert one.next_delay(now=0.0) == pytest.approx(0.05)


def test_the_first_connection_is_not_waited_for_unless_one_says_so() -> None:
    assert machine().next_delay(now=0.0) is None
    patient = machine(ReconnectPolicy(wait_for_server_s=5.0))
    assert patient.next_delay(now=0.0) == 0.1
    assert patient.next_delay(now=5.0) is None


def test_patience_ends_where_the_policy_says() -> None:
    one = machine(ReconnectPolicy(give_up_after_s=30.0))
    one.connected()
    one.lost(None, now=100.0)
    assert one.next_delay(now=129.0) is not None
    assert one.next_delay(now=130.0) is None


def test_resuming_makes_sense_for_a_minute() -> None:
    one = machine()
    assert not one.may_resume(now=0.0)
    one.lost(None, now=100.0)
    one.lost(None, now=140.0)  # another try that failed: the minute goes on
    assert one.may_resume(now=159.9)
    assert not one.may_resume(now=160.0)


@pytest.mark.parametrize(("status", "passing"), [(401, False), (403, False), (429, True), (502, True), (503, True)])
def test_some_refused_upgrades_pass(status: int, passing: bool) -> None:
    assert machine().is_passing(status) is passing
