"""The trial of UDP GSO at start."""

from __future__ import annotations

import pytest

from media.net import gso


def test_the_trial_says_yes_or_no_and_why_it_may_say_no(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gso.gso_pays() in (True, False)
    monkeypatch.setattr(gso, "GAIN_MIN", 0.0)
    assert gso.gso_pays() is False, "nothing costs less than nothing"


def test_a_kernel_that_refuses_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gso, "send_plain", lambda *arguments, **options: (0, 1))
    assert gso.gso_pays() is False
