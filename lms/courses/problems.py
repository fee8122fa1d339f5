"""How courses refuse."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

COURSE_FULL: Final = Problem(
    "course_full",
    409,
    "The course has places for {expected} students, and no more are free.",
    "اكتمل عدد الطلاب في المقرر: {expected}.",
)
COURSE_ARCHIVED: Final = Problem(
    "course_archived",
    409,
    "The course is archived; nothing in it changes any more.",
    "المقرر مؤرشف ولا يمكن تعديله.",
)
GROUP_IN_USE: Final = Problem(
    "group_in_use", 409, "Classes or codes are for this group.", "هناك حصص أو رموز مخصصة لهذه المجموعة."
)

THE_COURSE: Final = Phrase("course", "المقرر")
THE_GROUP: Final = Phrase("group", "المجموعة")
THE_STUDENT_OF_COURSE: Final = Phrase("student of this course", "الطالب في هذا المقرر")
THE_ENROLMENT: Final = Phrase("enrolment", "التسجيل في المقرر")
