"""The invariants of attendance, each for lessons that Hypothesis makes up; HALQA_TEST_EXAMPLES=2000 is the proof."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lms.attendance.facts import SECOND_US
from lms.attendance.intervals import Close, Place
from lms.attendance.outcome import Outcome, Status
from lms.attendance.policy import Policy, TimeWindow
from lms.attendance.sheet import Roster
from lms.attendance.spans import Span, present_spans
from tests.unit.lms.attendance.lesson import (
    BEGIN_US,
    EXACT,
    HEARTBEAT_S,
    KINDS,
    PEOPLE,
    Action,
    MediaServer,
    actions,
    fill,
    play,
    us,
)

EXAMPLES = int(os.environ.get("HALQA_TEST_EXAMPLES", "20"))
CALM = tuple(kind for kind in KINDS if kind != "crash")
RANK = {status: rank for rank, status in enumerate(Status)}

many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

seconds = st.integers(0, 900)
spans = st.tuples(st.integers(-50, 1000), st.integers(0, 400)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))
policies = st.builds(
    Policy,
    min_seconds=seconds,
    min_percent=st.integers(0, 10_000).map(lambda hundredths: Decimal(hundredths) / 100),
    late_after_s=seconds,
    early_leave_s=seconds,
    gap_merge_s=st.integers(0, 120),
    min_interval_s=st.integers(0, 120),
    count_breakout=st.booleans(),
    time_window=st.sampled_from(TimeWindow),
)
schedules = st.none() | st.tuples(st.integers(-300, 600), st.integers(1, 1200)).map(lambda pair: (pair[0], sum(pair)))


def outcome_of(server: MediaServer, identity: str, policy: Policy = EXACT, *, received: bool = False) -> Outcome:
    sheet = fill(server.facts(received=received), policy=policy, ended_s=server.now)
    return next(each for each in sheet.members if each.identity == identity)


@many
@given(actions(), policies, schedules, st.booleans())
def test_1_presence_is_within_the_window_and_the_intervals(
    script: list[Action], policy: Policy, scheduled: tuple[float, float] | None, over: bool
) -> None:
    server = play(script)
    sheet = fill(
        server.facts(), policy=policy, scheduled=scheduled, ended_s=server.now if over else None, now_s=server.now
    )
    for each in sheet.members:
        clipped = [
            max(0, min(one.end_us, sheet.window.end_us) - max(one.start_us, sheet.window.start_us))
            for one in sheet.intervals
            if one.identity == each.identity and policy.counts(one.place)
        ]
        assert 0 <= each.present_us <= sheet.window.length_us
        assert 0 <= each.percent <= 100
        if policy.gap_merge_s == 0:
            assert each.present_us <= sum(clipped)
        longest = max(clipped, default=0)
        if longest >= policy.min_interval_s * SECOND_US:
            assert each.present_us >= longest


@many
@given(actions(), policies, st.data())
def test_2_order_independence(script: list[Action], policy: Policy, data: st.DataObject) -> None:
    server = play(script)
    facts = server.facts(received=True)
    shuffled = data.draw(st.permutations(facts))
    assert fill(shuffled, policy=policy, ended_s=server.now) == fill(facts, policy=policy, ended_s=server.now)


@many
@given(actions(), policies, st.data())
def test_3_idempotence(script: list[Action], policy: Policy, data: st.DataObject) -> None:
    server = play(script)
    facts = server.facts(received=True)
    again = data.draw(st.lists(st.sampled_from(facts))) if facts else []
    later = [replace(fact, received_us=(fact.received_us or 0) + 60 * SECOND_US) for fact in again]
    expected = fill(facts, policy=policy, ended_s=server.now)
    assert fill([*later, *facts, *again], policy=policy, ended_s=server.now) == expected


@many
@given(st.lists(spans, max_size=12), spans, st.integers(0, 60), st.integers(0, 60), st.data())
def test_4_union_and_splitting(
    intervals: list[Span], window: Span, gap: int, minimum: int, data: st.DataObject
) -> None:
    whole = present_spans(intervals, window, gap_us=gap, minimum_us=minimum)
    if not intervals:
        return
    start, end = data.draw(st.sampled_from(intervals))
    middle = data.draw(st.integers(start, end))
    inside = Span(data.draw(st.integers(start, middle)), data.draw(st.integers(middle, end)))
    assert present_spans([*intervals, inside], window, gap_us=gap, minimum_us=minimum) == whole
    rest = list(intervals)
    rest.remove(Span(start, end))
    split = [*rest, Span(start, middle), Span(middle, end)]
    assert present_spans(split, window, gap_us=gap, minimum_us=minimum) == whole
    second = [Span(at, at + 1) for at in range(window.start_us, window.end_us)]  # by counting, with nothing merged
    covered = sum(any(one.start_us <= at < one.end_us for one in intervals) for at, _ in second)
    assert sum(each.length_us for each in present_spans(intervals, window, gap_us=0, minimum_us=0)) == covered


@many
@given(actions(CALM), policies, st.integers(0, 3), st.data())
def test_5_monotonic_more_presence_is_never_worse(
    script: list[Action], policy: Policy, person: int, data: st.DataObject
) -> None:
    server, more = play(script), MediaServer("media-2")
    more.wait(data.draw(st.integers(0, int(server.now))))
    more.join(PEOPLE[person])
    more.wait(data.draw(st.integers(0, 600)))
    more.leave(next(iter(more.here)))
    end = max(server.now, more.now)
    before = fill(server.facts(), policy=policy, ended_s=end).members
    after = fill((*server.facts(), *more.facts()), policy=policy, ended_s=end).members
    for one, other in zip(before, after, strict=True):
        assert other.present_us >= one.present_us
        assert RANK[other.status] >= RANK[one.status]


@many
@given(actions(), policies, st.integers(0, 200), st.integers(0, 5000))
def test_5_monotonic_stricter_rules_never_raise(
    script: list[Action], policy: Policy, seconds_more: int, hundredths_more: int
) -> None:
    server = play(script)
    stricter = replace(
        policy,
        min_seconds=policy.min_seconds + seconds_more,
        min_percent=min(Decimal(100), policy.min_percent + Decimal(hundredths_more) / 100),
        min_interval_s=policy.min_interval_s + seconds_more,
        late_after_s=max(0, policy.late_after_s - seconds_more),
        early_leave_s=max(0, policy.early_leave_s - seconds_more),
    )
    mild = fill(server.facts(), policy=policy, ended_s=server.now).members
    hard = fill(server.facts(), policy=stricter, ended_s=server.now).members
    for one, other in zip(mild, hard, strict=True):
        assert other.present_us <= one.present_us
        assert RANK[other.status] <= RANK[one.status]


@many
@given(actions([*KINDS, "step"]), st.data())
def test_6_no_interval_ends_before_it_begins_and_none_stays_open(script: list[Action], data: st.DataObject) -> None:
    server = play(script)
    facts = [fact for fact in server.facts() if data.draw(st.integers(0, 9))]  # and some never came
    ended_s = data.draw(st.integers(0, int(server.now) + 1))
    sheet = fill(facts, ended_s=ended_s, now_s=server.now)
    for each in sheet.intervals:
        assert each.start_us <= each.end_us <= us(ended_s)
        assert each.close is not None
    names = [(each.boot, each.connection, each.ordinal) for each in sheet.intervals]
    assert len(names) == len(set(names))
    for boot, connection in {(each.boot, each.connection) for each in sheet.intervals}:
        own = [each for each in sheet.intervals if (each.boot, each.connection) == (boot, connection)]
        ordered = sorted(own, key=lambda each: each.ordinal)
        assert all(one.end_us <= other.start_us for one, other in itertools.pairwise(ordered))
        assert all(each.close in {Close.SUSPEND, Close.RUN_END} for each in ordered[:-1])  # closed for good but once


@many
@given(actions(CALM), actions(CALM, most=8), st.floats(0, 1))
@example([("join", 0, 0.0), ("breakout", 0, 0.001)], [("join", 0, 0.0)], 0.9)  # within a move
def test_7_crash_at_any_journal_byte(before: list[Action], after: list[Action], share: float) -> None:
    server = play(before)
    head_bytes = server.written[0][0]
    cut = head_bytes + round(share * (len(server.content) - head_bytes))
    died = next((at for length, at in server.written if length > cut), server.now)
    content, truth = server.content[:cut], {who: server.true_seconds(who, died) for who in PEOPLE}
    for spans in server.truth.values():  # what came after the power cut never was
        spans[:] = [[start, min(end, died)] for start, end in spans if start < died]
    server.now = max(died, 0.0)
    server.crash(content=content)
    crashed = {each.identity: each for each in fill(server.facts(), ended_s=server.now).members}
    for who in PEOPLE:
        lost_s = truth[who] - crashed[who].present_us / SECOND_US
        assert -0.001 <= lost_s <= HEARTBEAT_S + 0.001
        assert truth[who] <= HEARTBEAT_S + 0.001 or crashed[who].status is not Status.ABSENT
    play(after, server)
    for who in PEOPLE:
        lost_s = server.true_seconds(who) - outcome_of(server, who).present_us / SECOND_US
        assert -0.001 <= lost_s <= HEARTBEAT_S + 0.001


@many
@given(actions())
def test_7_every_crash_costs_at_most_a_heartbeat(script: list[Action]) -> None:
    server = play(script)
    for who in PEOPLE:
        lost_s = server.true_seconds(who) - outcome_of(server, who).present_us / SECOND_US
        assert -0.001 <= lost_s <= HEARTBEAT_S * (server.boots - 1) + 0.001


@many
@given(actions(CALM), st.integers(0, 15_000), st.integers(0, 22_500), st.booleans(), st.booleans(), st.booleans())
@example([("join", 0, 0.0)], 15_000, 22_500, True, True, False)  # gone as soon as it had come
def test_7_a_silent_network_costs_at_most_a_heartbeat(
    script: list[Action], idle_ms: int, noticed_ms: int, waits: bool, comes_back: bool, crashes: bool
) -> None:
    """Who is gone was last heard of up to 15 s before; that nothing comes any more is noticed up to 22.5 s after."""
    server = play(script)
    silent = next(iter(server.here), None) or server.join("amal")
    server.fall_silent(silent, idle_s=idle_ms / 1000, noticed_s=noticed_ms / 1000, waits=waits)
    server.wait(7)
    if crashes:
        server.crash()
    elif waits and comes_back:
        server.resume(silent)
        server.wait(30)
    for who in PEOPLE:
        lost_s = server.true_seconds(who) - outcome_of(server, who).present_us / SECOND_US
        assert -0.001 <= lost_s <= HEARTBEAT_S * server.boots + 0.001


@many
@given(actions([*CALM, "step"]), st.integers(-30, 30))
def test_8_clock_steps_change_no_duration(script: list[Action], skew_s: int) -> None:
    server = play(script, MediaServer(skew_s=float(skew_s)))
    for participant in [*server.here, *server.suspended]:
        server.leave(participant)
    facts = server.facts(received=True)
    wide = (-1e6, 1e6)  # seconds: nothing is clipped, wherever the clock was set
    policy = replace(EXACT, time_window=TimeWindow.SCHEDULED)
    right_once = any(abs(fact.at_us - (fact.received_us or 0)) <= 31 * SECOND_US for fact in facts)
    for each in fill(facts, policy=policy, scheduled=wide, ended_s=wide[1]).members:
        assert abs(each.present_us / SECOND_US - server.true_seconds(each.identity)) <= 0.001
        if each.first_join_us is not None and each.last_leave_us is not None and right_once:
            stays = [(start, end) for start, end in server.truth[each.identity] if end > start]
            assert abs(each.first_join_us - us(min(start for start, _ in stays))) <= 31 * SECOND_US
            assert abs(each.last_leave_us - us(max(end for _, end in stays))) <= 31 * SECOND_US


@many
@given(actions(), st.integers(0, 100))
def test_9_a_partition_loses_nothing_and_closes_nothing_twice(script: list[Action], percent: int) -> None:
    """For ten minutes we hear nothing and take the node for lost; then the rest of its feed comes."""
    server = play(script)
    facts = server.facts()
    heard = facts[: len(facts) * percent // 100]
    last_s = max((fact.at_us - BEGIN_US) / SECOND_US for fact in heard) if heard else 0.0
    lost = {fact.boot: last_s for fact in heard}
    partial = fill(heard, now_s=server.now + 600, lost=lost)
    for each in partial.members:
        assert each.present_us / SECOND_US <= server.true_seconds(each.identity) + 0.001  # never beyond what was heard
    assert fill(facts, ended_s=server.now) == fill((*heard, *facts[len(heard) :]), ended_s=server.now)


@many
@given(st.integers(1, 59_000), st.integers(1, 40), st.booleans())
@example(8000, 40, True)
def test_10_reconnect_storm(gap_ms: int, size: int, new_connections: bool) -> None:
    policy = Policy(late_after_s=60, early_leave_s=60)
    people = [f"student-{number}" for number in range(size)]
    servers = MediaServer(), MediaServer()
    for server, storm in zip(servers, (False, True), strict=True):
        stays = [server.join(each) for each in people]
        server.wait(600)
        if storm:
            for stay in stays:
                server.leave(stay) if new_connections else server.suspend(stay)
        server.wait(gap_ms / 1000)
        if storm and new_connections:
            stays = [server.join(each) for each in people]
        elif storm:
            for stay in stays:
                server.resume(stay)
        server.wait(600)
        for stay in stays:
            server.leave(stay)
    calm, stormy = (
        fill(server.facts(), policy=policy, roster=Roster(people), ended_s=server.now).members for server in servers
    )
    assert [(one.status, one.joins, one.present_us) for one in stormy] == [
        (Status.PRESENT, 1, one.present_us) for one in calm
    ]


@many
@given(actions(), policies, st.sets(st.sampled_from([*PEOPLE, "farid", "ghada"])), st.sets(st.sampled_from(PEOPLE)))
def test_11_statuses_sum_up_to_the_roster(
    script: list[Action], policy: Policy, expected: set[str], excused: set[str]
) -> None:
    server = play(script)
    sheet = fill(server.facts(), policy=policy, ended_s=server.now, roster=Roster(expected, excused))
    assert sum(sheet.count().values()) == len(expected)
    assert [each.identity for each in sheet.members] == sorted(expected)
    came = {each.identity for each in sheet.intervals}
    assert {each.identity for each in sheet.others} == came - expected
    for each in sheet.members:
        assert (each.status is Status.EXCUSED) == (each.identity in excused)
        if each.identity not in came | excused:
            assert each.status is Status.ABSENT


@many
@given(actions(), policies, policies)
def test_12_recomputing_is_a_function_of_its_inputs(script: list[Action], one: Policy, other: Policy) -> None:
    server = play(script)
    first = fill(server.facts(), policy=one, ended_s=server.now)
    assert fill(server.facts(), policy=one, ended_s=server.now) == first  # and nothing else
    for before, after in zip(
        first.members, fill(server.facts(), policy=other, ended_s=server.now).members, strict=True
    ):
        if before.input_hash == after.input_hash:
            assert before == after


@many
@given(actions())
def test_live_and_final_are_the_same_function(script: list[Action]) -> None:
    server = play(script)
    live = fill(server.facts(), now_s=server.now)
    final = fill(server.facts(), ended_s=server.now, now_s=server.now + 600)
    for one, other in zip(live.members, final.members, strict=True):
        assert (one.status, one.present_us, one.joins, one.input_hash) == (
            other.status,
            other.present_us,
            other.joins,
            other.input_hash,
        )


@many
@given(actions(CALM))
def test_breakouts_are_left_out_where_they_do_not_count(script: list[Action]) -> None:
    server = play(script)
    policy = replace(EXACT, count_breakout=False)
    sheet = fill(server.facts(), policy=policy, ended_s=server.now)
    main = {fact.identity for fact in server.facts() if fact.room == "algebra" and fact.identity}
    assert all(each.present_us == 0 for each in sheet.members if each.identity not in main)
    assert all(each.place in {Place.MAIN, Place.BREAKOUT} for each in sheet.intervals)
