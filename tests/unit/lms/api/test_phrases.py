"""Every sentence and phrase that people are told is there in Arabic as in English, with the same places to fill."""

from __future__ import annotations

import ast
import importlib
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import lms
from lms.access.tables import LinkKind
from lms.api.languages import Language
from lms.api.phrases import in_arabic
from lms.mail.class_texts import Occasion, write_class_mail
from lms.mail.texts import write_mail
from lms.notifications.kinds import Kind, texts_of
from webapi.read import UnreadableError, convert, read_body, read_texts
from webapi.shapes import Request

ROOT: Final = Path(lms.__file__).parent
ARABIC: Final = re.compile("[\u0621-\u064a]")
MARK: Final = re.compile(r"<\w+>")
NAMED_ALIKE: Final = "DNS"
"""Written so in Arabic, too."""
SAID_IN_BOTH: Final = {"Problem": 2, "Phrase": 0, "FileError": 0, "FileFault": 0, "RuleError": 0, "UsesError": 0}
"""What is made of a text in English and one in Arabic behind it, and which argument is the first of them."""
SAYS: Final = re.compile(rf"\b({'|'.join(SAID_IN_BOTH)})\(")
WRONG: Final[tuple[Any, ...]] = (
    None, True, 7, -(10**12), 10**12, 2.5, "", "x", "x" * 10_000, "2026-99-99", [], [{"a": 1}], [1] * 600, {}, {"a": 1},
    {str(each): each for each in range(600)},
)  # fmt: skip


def said_in_both() -> Iterator[tuple[str, ast.expr, ast.expr]]:
    """Yield where something is said, in English and in Arabic."""
    for path in sorted(ROOT.rglob("*.py")):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if SAYS.search(source) else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAID_IN_BOTH:
                begins = SAID_IN_BOTH[node.func.id]
                english, arabic = node.args[begins : begins + 2]
                yield f"{path.relative_to(ROOT)}:{node.lineno}", english, arabic


def parts_of(node: ast.expr) -> tuple[str, set[str]]:
    """Return the letters of a text, and the names of what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        fields = list(string.Formatter().parse(node.value))
        return "".join(letters for letters, *_ in fields), {name for _, name, *_ in fields if name}
    assert isinstance(node, ast.JoinedStr), ast.unparse(node)
    letters = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return letters, {name.replace("arabic", "english") for name in names if "ARABIC" not in name}


def test_whatever_is_refused_is_refused_in_both_languages() -> None:
    found, wrong = 0, []
    for place, english, arabic in said_in_both():
        if isinstance(english, ast.Name | ast.Call):
            continue  # passed on: told where it comes from, or written alike in both
        found += 1
        (letters, names), (arabic_letters, arabic_names) = parts_of(english), parts_of(arabic)
        if re.search("[A-Za-z]", letters) and not ARABIC.search(arabic_letters):
            wrong.append(f"{place}: no Arabic for {letters!r}")
        if ARABIC.search(letters):
            wrong.append(f"{place}: Arabic in English")
        if names != arabic_names:
            wrong.append(f"{place}: {sorted(names)} are filled in in English, {sorted(arabic_names)} in Arabic")
    assert found > 150
    assert not wrong, "\n".join(wrong)


def requests() -> Iterator[type[Request]]:
    """Yield every struct that a request may have to have, and those within them."""
    for path in ROOT.rglob("*.py"):
        if not {"migrations", "environment"} & set(path.parts):
            importlib.import_module(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))
    waiting: list[type[Request]] = [Request]
    while waiting:
        shape = waiting.pop()
        waiting += shape.__subclasses__()
        if shape.__module__.startswith("lms."):
            yield shape


def test_whatever_the_reader_expects_has_words_in_arabic() -> None:
    missing: dict[str, str] = {}
    shown = 0
    for shape in requests():
        for field in msgspec.structs.fields(shape):
            for value in WRONG:
                try:
                    convert({field.encode_name: value}, shape, strict=True)
                except UnreadableError as error:
                    shown += 1
                    assert error.rule
                    assert error.expected is not None
                    assert "xpected" not in error.expected
                    if in_arabic(error.expected) is None or not ARABIC.search(in_arabic(error.expected) or ""):
                        missing[error.expected] = f"{shape.__name__}.{field.name}"
    assert shown > 2000
    assert not missing


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', b"[" * 5000, b"[" * 30 + b"]" * 30, b"", b'{"a" 1}', b"[7.0]"])
def test_a_body_that_cannot_be_read_says_why_in_arabic(body: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_body(body, next(requests()))
    assert refused.value.rule
    assert ARABIC.search(in_arabic(refused.value.expected or "") or "")


def test_a_parameter_that_comes_twice_says_why_in_arabic() -> None:
    with pytest.raises(UnreadableError) as refused:
        read_texts([("a", "1"), ("a", "2")], next(requests()))
    assert in_arabic(refused.value.expected or "") == "قيمة واحدة"
    assert in_arabic("words of somebody else") is None


def test_every_mail_says_the_same_in_both_languages() -> None:
    """Subject and text of each: what is filled in is filled in in both, and the words are of the language."""
    marks = {name: f"<{name}>" for name in ("name", "code", "school", "until", "link", "title", "when", "reason")}
    written: dict[Any, list[tuple[str, ...]]] = {
        **{kind: [write_mail(kind, each, marks) for each in Language] for kind in LinkKind},
        **{occasion: [write_class_mail(occasion, each, marks) for each in Language] for occasion in Occasion},
        **{kind: [(texts_of(kind, {"title": "<title>"})[each.value],) for each in Language] for kind in Kind},
    }
    for about, (of_english, of_arabic) in written.items():
        for english, arabic in zip(of_english, of_arabic, strict=True):
            assert MARK.findall(english), about
            assert sorted(set(MARK.findall(english))) == sorted(set(MARK.findall(arabic))), about
            assert not ARABIC.search(english), about
            assert ARABIC.search(arabic), about
            assert not re.search("[A-Za-z]", MARK.sub("", arabic).replace(NAMED_ALIKE, "")), about
