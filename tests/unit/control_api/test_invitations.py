"""A role becomes grants, a token that the server accepts, and a link that hides it from logs."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from control_api.invitations import Invitation, Role
from control_api.keys import ApiKey
from signaling.identifiers import Source
from signaling.keys import StaticKeys
from signaling.tokens import check_token

KEY = ApiKey("k1", b"x" * 32)
KEYS = StaticKeys({KEY.key_id: KEY.secret})
NOW = 1_800_000_000.0


def invite(
    role: Role = Role.STUDENT, *, room: str = "algebra", identity: str = "s1", name: str | None = None
) -> Invitation:
    return Invitation(room=room, identity=identity, role=role, expires_at=NOW + 60, name=name)


@pytest.mark.parametrize(
    ("role", "sources"),
    [
        (Role.TEACHER, set(Source)),
        (Role.STUDENT, {Source.CAMERA, Source.MICROPHONE}),
        (Role.VIEWER, set[Source]()),
    ],
)
def test_role_decides_what_may_be_published(role: Role, sources: set[Source]) -> None:
    grants = check_token(invite(role, name="Muna").token(KEY), KEYS, wallclock=NOW)
    assert grants.publish == sources
    assert grants.subscribe
    assert (grants.room, grants.identity, grants.name) == ("algebra", "s1", "Muna")
    assert grants.expires_at == NOW + 60


def test_link_carries_room_and_token_in_the_fragment() -> None:
    parts = urlsplit(invite(room="جبر-1").link(KEY, "https://class.example.org/"))
    assert (parts.scheme, parts.netloc, parts.path, parts.query) == ("https", "class.example.org", "/class", "")
    fields = parse_qs(parts.fragment)
    assert fields["room"] == ["جبر-1"]
    assert check_token(fields["token"][0], KEYS, wallclock=NOW).room == "جبر-1"


@pytest.mark.parametrize(
    ("room", "identity", "name"), [("a/b", "i", None), ("", "i", None), ("a", "", None), ("a", "i", " ")]
)
def test_what_no_server_takes_is_refused_at_once(room: str, identity: str, name: str | None) -> None:
    with pytest.raises(ValueError, match=r"room name|identity|name"):
        invite(room=room, identity=identity, name=name)
