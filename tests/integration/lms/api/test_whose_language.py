"""In which language the service answers: the account's own, else what the request accepts, else the organization's."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from lms.access.roles import Role
from tests.support.lms import Person, School

SPOKEN: Final = {
    "en": [("ar", "en", "ar"), ("ar", None, "ar"), (None, "ar", "ar"), (None, "fr", "en"), (None, None, "en")],
    "ar": [("en", "ar", "en"), (None, "en;q=0.1", "en"), (None, "fr", "ar"), (None, None, "ar")],
}
"""By the language of the organization: the account's own, what the request accepts, and what comes of it."""


async def spoken(school: School, person: Person, accepted: str | None) -> str:
    """Return in which language somebody is refused."""
    answer = await school.get(f"/courses/{uuid4()}", as_=person, language=accepted)
    assert answer.status == 404
    return str(answer.headers["Content-Language"])


async def test_the_own_language_then_the_accepted_then_the_schools(school: School) -> None:
    people = {each: await school.person(Role.TEACHER, language=each) for each in (None, "en", "ar")}
    for version, (of_school, cases) in enumerate(SPOKEN.items(), start=1):
        changed = await school.patch("/organization", {"language": of_school}, as_=school.owner, version=version)
        assert changed.status == 200, changed.body
        found = [(own, accepted, await spoken(school, people[own], accepted)) for own, accepted, _ in cases]
        assert found == cases
    assert (await school.patch("/auth/me", {"language": "ar"}, as_=people["en"])).status == 200
    assert await spoken(school, people["en"], "en") == "ar"
