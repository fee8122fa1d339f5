"""What may be done with a class when: the whole table."""

from __future__ import annotations

import pytest

from lms.classes.status import ClassStatus, Deed, NotNowError, allowed_deeds, status_after

S = ClassStatus
ALLOWED = {
    S.SCHEDULED: {
        "change": S.SCHEDULED,
        "move": S.SCHEDULED,
        "invite": S.SCHEDULED,
        "start": S.LIVE,
        "cancel": S.CANCELLED,
    },
    S.LIVE: {"change": S.LIVE, "invite": S.LIVE, "start": S.LIVE, "join": S.LIVE, "lock": S.LIVE, "end": S.ENDED},
    S.ENDED: {"change": S.ENDED, "start": S.LIVE, "end": S.ENDED},
    S.CANCELLED: {"cancel": S.CANCELLED},
}


@pytest.mark.parametrize("status", ClassStatus)
@pytest.mark.parametrize("deed", Deed)
def test_the_whole_table(status: ClassStatus, deed: Deed) -> None:
    expected = ALLOWED[status].get(deed.value)
    if expected is not None:
        assert status_after(status, deed) is expected
        assert deed in allowed_deeds(status)
        return
    assert deed not in allowed_deeds(status)
    with pytest.raises(NotNowError, match=f"The class is {status.value}; to {deed.value} it must be"):
        status_after(status, deed)
