"""Who is there, over devices and processes."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lms.live.presence import Presence, Status

ORG, MUNA, ROOM, OTHER_ROOM = (UUID(int=number) for number in range(1, 5))


def test_somebody_with_two_devices() -> None:
    presence = Presence()
    first = presence.set("a", ORG, MUNA, "Muna", Status.AWAY, [ROOM])
    assert first is not None
    assert (first.status, first.room_ids) == (Status.AWAY, frozenset({ROOM}))
    assert presence.set("a", ORG, MUNA, "Muna", Status.AWAY, [ROOM]) is None
    second = presence.set("b", ORG, MUNA, "Muna", Status.ONLINE, [OTHER_ROOM])
    assert second is not None
    assert second.status is Status.ONLINE
    assert presence.present_in(ORG, ROOM) == [MUNA]
    assert presence.set("a", ORG, MUNA, "", Status.OFFLINE, ()) is None
    assert (presence.present_in(ORG, ROOM), presence.present_in(ORG, OTHER_ROOM)) == ([], [MUNA])
    [gone] = presence.drop_source("b")
    assert (gone.status, gone.name, gone.room_ids) == (Status.OFFLINE, "Muna", frozenset({OTHER_ROOM}))
    assert presence.status_of(ORG, MUNA) is Status.OFFLINE


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([UUID(int=number) for number in range(10, 13)]),
        st.sampled_from(Status),
        st.sets(st.sampled_from([ROOM, OTHER_ROOM])),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_is_what_all_sources_together_say(steps: list[tuple[str, UUID, Status, set[UUID]]]) -> None:
    presence = Presence()
    known: dict[tuple[str, UUID], tuple[Status, set[UUID]]] = {}
    told: dict[UUID, Status] = {}
    for source, user_id, status, rooms in steps:
        known[source, user_id] = (status, rooms)
        turn = presence.set(source, ORG, user_id, "x", status, rooms)
        statuses = [each for (_, user), (each, _) in known.items() if user == user_id]
        wanted = next(each for each in (Status.ONLINE, Status.AWAY, Status.OFFLINE) if each in statuses)
        assert presence.status_of(ORG, user_id) is wanted
        assert (turn is not None) is (told.get(user_id, Status.OFFLINE) is not wanted)
        told[user_id] = wanted
        for room in (ROOM, OTHER_ROOM):
            there = {user for (_, user), (each, own) in known.items() if each is not Status.OFFLINE and room in own}
            assert set(presence.present_in(ORG, room)) == there
