"""Which name proves a host, which values do, and how nameservers are written in settings."""

from __future__ import annotations

import pytest

from lms.errors import SettingsError
from lms.organizations.challenge import can_be_proven, proves, record_name, shown
from lms.organizations.settings import HostSettings, Nameserver, read_nameserver


def test_the_record_is_beside_the_host() -> None:
    assert record_name("school.example.org") == "_halqa-challenge.school.example.org"


@pytest.mark.parametrize(
    ("host", "possible"),
    [
        ("school.example.org", True),
        ("school", True),
        ("a..b", False),
        ("x" * 63 + ".org", True),
        ("x" * 64 + ".org", False),
        (".".join(["x" * 58] * 4), True),  # 235 characters
        (".".join(["x" * 58] * 4) + "xx", False),
    ],
)
def test_what_dns_can_hold(host: str, possible: bool) -> None:
    assert can_be_proven(host) is possible


def test_quotes_and_spaces_of_forms_do_not_count_and_nothing_else_is_let_through() -> None:
    assert proves(["v=spf1 -all", "abc"], "abc")
    assert proves([' "abc" '], "abc")
    for wrong in ([], [""], ["ABC"], ["abcd"], ["abc def"]):
        assert not proves(wrong, "abc")


def test_what_was_found_is_shortened() -> None:
    assert shown(["a", "b"]) == "a, b"
    assert shown(["a", "b", "c", "d", "e"]) == "a, b, c, … (+2)"
    assert len(shown(["x" * 5000])) == 101


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.53", Nameserver("192.0.2.53", 53)),
        ("192.0.2.53:5353", Nameserver("192.0.2.53", 5353)),
        ("2001:db8::53", Nameserver("2001:db8::53", 53)),
        ("[2001:db8::53]", Nameserver("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", Nameserver("2001:db8::53", 5353)),
    ],
)
def test_nameservers(text: str, place: Nameserver) -> None:
    assert read_nameserver(text) == place


@pytest.mark.parametrize("text", ["", "dns.example.org", "192.0.2.53:0", "192.0.2.53:65536", "192.0.2.53:x", "[::1]x"])
def test_what_is_no_nameserver_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match=r"hosts\.nameservers has .* expected e\.g\. 192\.0\.2\.53"):
        HostSettings(nameservers=(text,))
