"""What no linter sees: sizes, names, plain paths, and that documents, build and tests keep up with the code."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NATIVE = ROOT / "media" / "native"
PRODUCT = ("media", "signaling", "recorder", "webapi", "control_api", "lms", "benchmarks")
SOURCE_SUFFIXES = {
    ".py",
    ".pyi",
    ".pyx",
    ".pxd",
    ".pxi",
    ".js",
    ".css",
    ".html",
    ".md",
    ".toml",
    ".json",
    ".yml",
    ".txt",
    ".c",
    ".h",
    "",
}

LINES_MAX = 500
COLUMNS_MAX = 120  # ruff counts those of Python; Cython, JavaScript and documents are counted here

# Words that name nothing (whole words of a module's name).
EMPTY_WORDS = {
    "session",
    "manager",
    "handler",
    "helper",
    "helpers",
    "utils",
    "util",
    "common",
    "info",
    "data",
    "misc",
    "base",
}

# Native modules that cannot be called with bytes alone, and what proves them instead.
BY_HAND = "its effects are those of the worker, which test_worker.py drives by hand and fuzz_worker.py feeds"
BY_HAND_MODULES = (
    "bandwidth",
    "egress",
    "fanout",
    "feedback",
    "ingress",
    "lifecycle",
    "links",
    "mirrors",
    "pacer",
    "path_feedback",
    "plane",
    "probing",
    "recognise",
    "redundancy",
    "replay",
    "strays",
    "wishes",
)
LOAD = "the load generator: test_load.py and test_load_plane.py compare what it counts with what was sent"
LOAD_MODULES = ("load_incoming", "load_link", "load_outgoing", "load_plane")
NO_ORACLE: dict[str, str] = {
    **dict.fromkeys(LOAD_MODULES, LOAD),
    **dict.fromkeys(BY_HAND_MODULES, BY_HAND),
    "gcc": "held to its purpose, not to a twin: tests/sim/test_estimator.py runs it over paths that are known",
    "consent": "its twin is the ICE agent itself: test_consent.py compares their answers byte by byte",
    "sealer": "its twin is that of srtp, tests/oracle/srtp.py: test_sealer.py",
    "sha1": "its twins are hashlib and zlib: test_sha1.py",
    "events": "a ring between two threads: test_events.py and every integration test read it",
    "udp": "system calls: test_udp.py sends and receives",
    "worker": "the whole of the above: test_worker.py says what must come out",
    "inbox": "a ring between threads: test_inbox.py and every room on two workers read it",
    "worker_mirrors": BY_HAND,
    "worker_rows": BY_HAND,
}
NO_FUZZ_TARGET: dict[str, str] = {
    **dict.fromkeys(LOAD_MODULES, "parses with what the server parses with, which has targets"),
    **dict.fromkeys((*BY_HAND_MODULES, "worker_mirrors", "worker_rows"), BY_HAND),
    "inbox": "carries what others have parsed",
    "events": "carries what others have parsed",
    "latency": "takes numbers of our own clock",
    "table": "its keys are built by the code, test_table.py compares it with a dict under Hypothesis",
    "seqmap": "a part of forward, which has a target",
    "udp": "parses no bytes of peers",
}


def sources(*suffixes: str) -> Iterator[Path]:
    """Yield the files of the project that people write, without what is built or downloaded."""
    tops = [path for path in ROOT.iterdir() if path.is_file()]
    folders = (*PRODUCT, "tests", "scripts", "deploy", ".ci")
    for path in chain(tops, *((ROOT / folder).rglob("*") for folder in folders)):
        if not path.is_file() or "__pycache__" in path.parts or path.suffix not in (suffixes or SOURCE_SUFFIXES):
            continue
        if path.suffix == ".c" and path.with_suffix(".pyx").exists():
            continue
        yield path


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def native_modules() -> list[str]:
    return sorted(path.stem for path in NATIVE.glob("*.pyx"))


def test_no_file_is_long() -> None:
    sizes = {name_of(path): len(lines_of(path)) for path in sources(".py", ".pyx", ".pxd", ".pxi", ".js", ".css")}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:10]
    print("largest files:", *(f"{count:5} {name}" for name, count in largest), sep="\n")
    assert not [f"{name} has {count} lines" for name, count in sizes.items() if count > LINES_MAX]


def test_no_line_is_wide() -> None:
    # Documents may be wider where a table or an address needs it.
    wide = [
        f"{name_of(path)}:{number} has {len(line)} columns"
        for path in sources(".pyx", ".pxd", ".pxi", ".pyi", ".js", ".css")
        for number, line in enumerate(lines_of(path), 1)
        if len(line) > COLUMNS_MAX
    ]
    assert not wide


def test_every_module_says_its_idea_first() -> None:
    silent = [
        name_of(path)
        for path in sources(".py", ".pyx")
        if path.is_relative_to(ROOT / "media") or path.relative_to(ROOT).parts[0] in PRODUCT
        if not re.match(r'\A(#[^\n]*\n)*\s*r?"""\S', path.read_text(encoding="utf-8"))
    ]
    assert not silent


def test_no_module_has_an_empty_name() -> None:
    empty = [
        name_of(path)
        for path in sources(".py", ".pyx", ".js")
        if path.name != "test_data.py" and set(re.split(r"[_\-.]", path.stem.lower())) & EMPTY_WORDS
    ]
    assert not empty


def test_no_todo_without_a_reason() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    reason = re.compile(r"\b(TODO|FIXME)\b\([^)]+\): \S")
    bare = [
        f"{name_of(path)}:{number}"
        for path in sources()
        if path != Path(__file__)
        for number, line in enumerate(lines_of(path), 1)
        if pattern.search(line) and not reason.search(line)
    ]
    assert not bare


def test_no_path_of_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.:/])/(home|root|work|Users|mnt|tmp)/\w")
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in sources()
        if path != Path(__file__)
        for number, line in enumerate(lines_of(path), 1)
        if pattern.search(line)
    ]
    assert not found


def test_every_native_module_is_built() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extensions = tomllib.load(file)["tool"]["setuptools"]["ext-modules"]
    assert sorted(extension["name"] for extension in extensions) == [
        f"media.native.{name}" for name in native_modules()
    ]
    for extension in extensions:
        assert extension["sources"] == [extension["name"].replace(".", "/") + ".pyx"]
        assert "-march=native" not in extension["extra-compile-args"]


@pytest.mark.parametrize("module", native_modules())
def test_native_module_has_its_companions(module: str) -> None:
    missing = [
        name_of(path)
        for path, excused in (
            (NATIVE / f"{module}.pyi", {}),
            (ROOT / "tests" / "oracle" / f"{module}.py", NO_ORACLE),
            (ROOT / "tests" / "fuzz" / f"fuzz_{module}.py", NO_FUZZ_TARGET),
        )
        if module not in excused and not path.exists()
    ]
    assert not missing


def test_excuses_are_not_stale() -> None:
    modules = set(native_modules())
    assert set(NO_ORACLE) <= modules
    assert set(NO_FUZZ_TARGET) <= modules
    assert not [name for name in NO_ORACLE if (ROOT / "tests" / "oracle" / f"{name}.py").exists()]
    assert not [name for name in NO_FUZZ_TARGET if (ROOT / "tests" / "fuzz" / f"fuzz_{name}.py").exists()]


def test_native_modules_import_their_kind_only() -> None:
    pattern = re.compile(r"^\s*(?:from|cimport|import)\s+([\w.]+)", re.MULTILINE)
    allowed = {"libc", "cpython", "cython", "posix", *sys.stdlib_module_names}
    strangers = [
        f"{name_of(path)} imports {name}"
        for path in sources(".pyx", ".pxd", ".pxi")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
        if name.split(".")[0] not in allowed and not name.startswith("media.native")
    ]
    assert not strangers


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md"])
def test_document_knows_every_folder(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    folders = [name for name in (*PRODUCT, "tests", "scripts") if (ROOT / name).is_dir()]
    assert not [name for name in folders if f"{name}/" not in text]


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "signaling/protocol.md"])
def test_document_tells_the_truth(document: str) -> None:
    """Its make commands exist, and so do the files that it names."""
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^\s*)make ([a-z]+)", text, re.MULTILINE)) <= targets
    folders = "|".join((*PRODUCT, "tests", "scripts"))
    named = {name for name in re.findall(rf"`((?:{folders})/[\w./*-]*)`", text) if "NAME" not in name}
    assert not [name for name in named if not list(ROOT.glob(name.rstrip("/")))]


def test_scripts_can_be_run() -> None:
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file() and lines_of(path)[0].startswith("#!")]
    assert not [name_of(path) for path in [*scripts, ROOT / ".ci" / "run"] if not path.stat().st_mode & 0o111]


def test_pins_are_exact() -> None:
    pins = [line for line in lines_of(ROOT / "constraints.txt") if line and not line.startswith("#")]
    assert pins
    assert not [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", pin)]
