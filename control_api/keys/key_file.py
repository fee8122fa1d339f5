"""The API keys of a data folder in one private file: read again when it changed, changed by one at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from control_api.contract.scopes import Scope
from control_api.keys.api_key import ApiKey, make_api_key, moment
from control_api.keys.document import build_keys, parse_keys
from media.errors import LocalError
from signaling.keys import SigningKey
from signaling.room_pattern import EVERY_ROOM, RoomPattern

logger = logging.getLogger(__name__)

KEYS_FILE: Final = "keys.json"
KEYS_FILE_BYTES_MAX: Final = 1 << 20  # a thousand keys; a larger file is something else

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyFileError(LocalError):
    """The key file cannot be used as it is; the message says what to do."""


class NoSuchKeyError(KeyError):
    """There is no key of that id."""


class _Version(NamedTuple):
    """Tells one content of the file from the next."""

    inode: int
    size_bytes: int
    modified_ns: int


class KeyFile:
    """The keys of a file (a `signaling.keys.KeyStore`).

    Its version is looked at whenever a key is asked for, so that a running server follows changes, by the `halqa keys`
    command or an editor, with the next request: no signal, no restart.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; raises KeyFileError if it is missing, open to other users or broken."""
        self._path = path
        self._version = _version(path)
        self._keys = _read(path)

    @property
    def first(self) -> ApiKey:
        """The oldest key that may sign tokens for every room now; raises KeyFileError if there is none."""
        return self.signer(EVERY_ROOM)

    def signer(self, rooms: RoomPattern) -> ApiKey:
        """Return the oldest key that may sign tokens for these rooms now; raises KeyFileError if there is none."""
        now = datetime.now(UTC)
        for key in self.listed():
            if key.is_usable(now) and Scope.TOKENS_CREATE in key.scopes and key.rooms.covers(rooms):
                return key
        raise KeyFileError(f"{self._path} holds no key that may sign tokens for {rooms.text} now")

    def listed(self) -> list[ApiKey]:
        """Return all keys, those that ended too, the oldest first."""
        self._refresh()
        return list(self._keys.values())

    def find(self, key_id: str) -> ApiKey | None:
        """Return the key of that id, which may have ended."""
        self._refresh()
        return self._keys.get(key_id)

    def signing_key(self, key_id: str, *, wallclock: float) -> SigningKey | None:
        key = self.find(key_id)
        if key is None or Scope.TOKENS_CREATE not in key.scopes:
            return None
        usable = key.secrets_at(moment(wallclock))
        if not usable:
            return None
        return SigningKey(usable, key.rooms, moderates=Scope.ROOMS_MODERATE in key.scopes)

    def add(self, key: ApiKey) -> None:
        """Add a key that is durable on return; raises KeyFileError. Blocks for the disk, as do the next two."""
        with self._changing() as keys:
            keys[key.key_id] = key
        logger.info("API key created", extra={"key": key.key_id})

    def revoke(self, key_id: str) -> ApiKey:
        """End a key now and return it; raises NoSuchKeyError, KeyFileError."""
        revoked = self._replace(key_id, lambda key: key.revoked(at=datetime.now(UTC)))
        logger.info("API key revoked", extra={"key": key_id})
        return revoked

    def rotate(self, key_id: str, *, overlap_s: float) -> ApiKey:
        """Give a key another secret and return it; raises NoSuchKeyError, KeyFileError, ValueError if it has ended."""
        rotated = self._replace(key_id, lambda key: key.rotated(at=datetime.now(UTC), overlap_s=overlap_s))
        logger.info("API key rotated", extra={"key": key_id, "overlap_s": overlap_s})
        return rotated

    def _replace(self, key_id: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
        with self._changing() as keys:
            if key_id not in keys:
                raise NoSuchKeyError(key_id)
            changed = keys[key_id] = change(keys[key_id])
        return changed

    @contextmanager
    def _changing(self) -> Iterator[dict[str, ApiKey]]:
        """Yield the keys as the file has them now, to be changed; write them if nothing was raised."""
        with _lock(self._path):
            keys = _read(self._path)
            yield keys
            try:
                content = build_keys(keys)
            except ValueError as error:
                raise KeyFileError(f"{self._path}: {error}") from None
            _replace_file(self._path, content)
            self._version = _version(self._path)
            self._keys = keys

    def _refresh(self) -> None:
        """Take up a changed file. A broken one changes nothing: a slip of an editor must not lock everybody out."""
        try:
            version = _version(self._path)
            if version == self._version:
                return
            self._version = version
            self._keys = _read(self._path)
        except KeyFileError as error:
            logger.warning("key file is unusable, the keys read before stay", extra={"because": str(error)})


def open_keys(folder: Path) -> KeyFile:
    """Return the keys of a data folder; a folder without any gets its first one, readable by its owner alone."""
    path = folder / KEYS_FILE
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if not path.exists():
            _make_first(path)
    except OSError as error:
        raise KeyFileError(f"data folder {folder} cannot be used: {error.strerror}") from None
    return KeyFile(path)


def _make_first(path: Path) -> None:
    key = make_api_key(at=datetime.now(UTC), name="first")
    with _written(path, build_keys({key.key_id: key})) as partial:
        try:
            path.hardlink_to(partial)  # unlike a rename it does not replace what another process made meanwhile
        except FileExistsError:
            logger.debug("another process made the first API key", extra={"file": str(path)})
        else:
            logger.info("made the first API key", extra={"file": str(path), "key": key.key_id})


def _read(path: Path) -> dict[str, ApiKey]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & OTHERS:
                raise KeyFileError(f"{path} is open to other users: chmod 600 {path}")
            content = file.read(KEYS_FILE_BYTES_MAX + 1)
        if len(content) > KEYS_FILE_BYTES_MAX:
            raise KeyFileError(f"{path} is larger than {KEYS_FILE_BYTES_MAX} bytes")
        return parse_keys(content)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file at the same time. The folder itself is locked: no file is left."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KeyFileError(f"{path.parent} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace_file(path: Path, content: bytes) -> None:
    try:
        with _written(path, content) as partial:
            partial.replace(path)
            _sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """Yield a file beside `path` that is durable and never, not even for a moment, readable by others."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _version(path: Path) -> _Version:
    try:
        status = path.stat()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    return _Version(status.st_ino, status.st_size, status.st_mtime_ns)
