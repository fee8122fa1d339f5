"""How the gradebook refuses."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

GRADE_CONFLICT: Final = Problem(
    "version_conflict",
    409,
    "Somebody graded this meanwhile: version {current} is there, {value} was expected.",
    "غيّر شخص آخر هذه الدرجة في هذه الأثناء: النسخة الحالية {current} والمتوقعة {value}.",
)
"""With the grade that is there in `details.more.grade`."""
ITEM_LOCKED: Final = Problem(
    "grade_item_locked",
    409,
    "The grades of this item are locked.",
    "درجات هذا العنصر مقفلة.",
)
CATEGORY_IN_USE: Final = Problem(
    "grade_category_in_use",
    409,
    "The category has items; move or delete them first.",
    "الفئة تحتوي على عناصر؛ انقلها أو احذفها أولًا.",
)
TITLE_TAKEN: Final = Problem(
    "already_taken",
    409,
    "Another item of this course is called {value}.",
    "يوجد عنصر آخر في هذا المقرر باسم {value}.",
)
SOURCE_TAKEN: Final = Problem(
    "already_taken",
    409,
    "This course has an item for that already.",
    "يوجد في هذا المقرر عنصر لذلك من قبل.",
)
TOO_MANY: Final = Problem(
    "too_many",
    409,
    "A course has at most {expected} of these.",
    "لا يمكن أن يتجاوز العدد في المقرر {expected}.",
)
FILE_UNREADABLE: Final = Problem(
    "file_unreadable",
    422,
    "The file is no table of grades: {reason}.",
    "الملف ليس جدول درجات: {reason}.",
)
FILE_REJECTED: Final = Problem(
    "file_rejected",
    422,
    "{count} cells cannot be taken, so nothing was written; ask without `confirm` to see them.",
    "تعذّر قبول {count} من الخلايا فلم يُكتب شيء؛ أعد الطلب دون confirm لعرضها.",
)
FILE_CONFIRMS_OTHER: Final = Problem(
    "preview_outdated",
    409,
    "The file or the grades changed since the preview; look at a new one.",
    "تغيّر الملف أو الدرجات منذ المعاينة؛ اعرض معاينة جديدة.",
)

THE_STUDENT: Final = Phrase("student", "الطالب")
THE_CATEGORY: Final = Phrase("grade category", "فئة الدرجات")
THE_ITEM: Final = Phrase("grade item", "عنصر الدرجات")
