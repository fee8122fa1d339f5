"""How chat refuses."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

CLIENT_ID_REUSED: Final = Problem(
    "client_id_reused",
    409,
    "This client_id came before with another message.",
    "استُخدم client_id هذا سابقًا مع رسالة أخرى.",
)
MESSAGE_CONFLICT: Final = Problem(
    "message_conflict",
    409,
    "The message was changed meanwhile: edit {current} is there, {value} was expected.",
    "جرى تعديل الرسالة في هذه الأثناء: التعديل الحالي {current} والمتوقع {value}.",
)
"""With the message that is there in `details.more.message`."""
MESSAGE_DELETED: Final = Problem("message_deleted", 409, "The message is deleted.", "الرسالة محذوفة.")
MUTED: Final = Problem(
    "muted", 403, "You are muted in this room until {until}.", "أنت مكتوم في هذه الغرفة حتى {until}."
)
BANNED: Final = Problem("banned", 403, "You may not take part in this room.", "لا يُسمح لك بالمشاركة في هذه الغرفة.")
ROOM_LOCKED: Final = Problem(
    "room_locked", 403, "Only those who keep order may write here now.", "الكتابة هنا مقصورة على المشرفين حاليًا."
)
ROOM_OVER: Final = Problem(
    "room_over", 409, "Nobody writes here any more; it can be read.", "انتهت الكتابة في هذه الغرفة؛ يمكن القراءة فقط."
)
TOO_MANY: Final = Problem(
    "too_many", 409, "There are {value} {what} already, which is the most.", "بلغ عدد {what} حده الأقصى: {value}."
)
ALREADY_REPORTED: Final = Problem(
    "already_reported", 409, "You have reported this message already.", "سبق أن أبلغت عن هذه الرسالة."
)
REPORT_CLOSED: Final = Problem(
    "report_closed", 409, "Somebody has looked at this report already: {value}.", "عولج هذا البلاغ من قبل: {value}."
)

THE_ROOM: Final = Phrase("room", "الغرفة")
THE_MESSAGE: Final = Phrase("message", "الرسالة")
THE_REPLIED_TO: Final = Phrase("message to reply to", "الرسالة المطلوب الرد عليها")
THE_REPORT: Final = Phrase("report", "البلاغ")
THE_MEMBER: Final = Phrase("member of the room", "عضو الغرفة")
