"""Header extensions as numbers: what passes, what stays on its hop, what happens when numbers run out."""

from __future__ import annotations

from media.routing.kinds import KINDS_MAX, ExtensionKinds
from media.rtp import extensions


def test_ids_of_two_peers_meet_in_the_kind() -> None:
    kinds = ExtensionKinds()
    incoming = kinds.in_table({5: extensions.VIDEO_ORIENTATION})
    outgoing = kinds.out_table({13: extensions.VIDEO_ORIENTATION})
    assert outgoing[incoming[5]] == 13
    assert incoming[6] == 0


def test_hop_by_hop_extensions_are_read_but_never_sent_on() -> None:
    kinds = ExtensionKinds()
    for uri in extensions.HOP_BY_HOP:
        assert kinds.in_table({4: uri})[4] == kinds.kind(uri) != 0
        assert any(kinds.out_table({4: uri})) == (uri == extensions.TRANSPORT_SEQUENCE), "which we number ourselves"


def test_unknown_uris_pass_until_numbers_run_out() -> None:
    kinds = ExtensionKinds()
    numbers = [kinds.kind(f"urn:example:{index}") for index in range(KINDS_MAX)]
    given = [number for number in numbers if number]
    assert len(set(given)) == len(given) > 0
    assert max(given) < KINDS_MAX
    assert numbers[-1] == 0, "the table is bounded"
    assert not any(kinds.out_table({9: f"urn:example:{KINDS_MAX - 1}"})), "what has no number is not sent"
    assert kinds.kind("urn:example:0") == given[0]
