"""Drop folders shared with an access client: what we put into its outbox it sends, what it puts into our inbox came in.

Beside them lies our archive: ``sent``, ``received``, and ``failed`` with the reason in a file next to each. Boxes and
archive hold personal data in plain form, as the access client needs it; the permissions of the folders guard it.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from ..config.eports import FolderSettings, Limits
from ..messages.faults import Fault, Refused, fault
from .transport import Health, Incoming, NotSent, TransportFault, Unavailable, Uncertain

NAME_LENGTH_MAX = 120
INCOMING_NAME_BYTES_MAX = 200
SCAN_ENTRIES_MAX = 10_000
"""Entries of a folder looked at in one go; those beyond are met once these are gone."""
RECEIVE_BYTES_MAX = 64 * 1024 * 1024
"""Bytes read in one go, give or take one file; the others wait for the next call."""
DRAFT_KEPT_SECONDS = 3600
"""Age at which a draft is taken for the leftover of a crash."""

_SAFE_NAME = re.compile(rf"[A-Za-z0-9_-][A-Za-z0-9._-]{{0,{NAME_LENGTH_MAX - 1}}}")
_DRAFT = ".tongguan-draft"
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", "~")
_REASON = ".reason.txt"
_FILE_MODE = 0o640  # readable by the group, since the access client often runs as another user

_MISSING = {errno.ENOENT, errno.ENOTDIR}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}  # some network shares cannot sync a folder

Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a file looked like, when it was first seen, and since when it has looked like this."""

    mark: Mark
    first_seen_ms: int
    since_ms: int


class FolderTransport:
    """The transport of one e-port over drop folders; ``now_ms`` gives milliseconds UTC.

    An incoming file counts as complete when its size and time of change stayed the same for ``settle_ms``, so it is
    not offered when it is first seen, unless that is 0. Files are small and calls bounded, so I/O runs inline.
    """

    def __init__(self, settings: FolderSettings, limits: Limits, now_ms: Callable[[], int]) -> None:
        self._outbox, self._inbox = settings.outbox, settings.inbox
        self._sent, self._received, self._failed = (settings.archive / each for each in ("sent", "received", "failed"))
        self._settle_ms = settings.settle_ms
        self._limits = limits
        self._now_ms = now_ms
        self._looks: dict[str, _Look] = {}
        self._drafts = count()

    def prepare(self, *, make_boxes: bool) -> None:
        """Make the archive and clear away what a crash left; raises Refused with all that is wrong with the folders.

        The boxes belong to the access client. They are made for tests and trials only: in earnest an outbox that is
        missing is a share that is not mounted.
        """
        made = (self._outbox, self._inbox) if make_boxes else ()
        for folder in (*made, self._sent, self._received, self._failed):
            with suppress(OSError):  # what could not be made is told by the faults
                folder.mkdir(mode=0o770 if folder in made else 0o700, parents=True, exist_ok=True)
        if faults := self._faults():
            raise Refused(faults)
        if self._inbox.stat().st_dev != self._received.stat().st_dev:
            raise Refused(fault("transport-apart", folder=str(self._received)))
        for folder in (self._outbox, self._sent):
            _clear_drafts(folder, self._now_ms())

    async def send(self, name: str, data: bytes) -> None:
        """Keep a copy in ``sent``, then put the file into the outbox, where it appears complete or not at all."""
        if not _SAFE_NAME.fullmatch(name):
            raise NotSent(fault("transport-name", limit=NAME_LENGTH_MAX))
        if len(data) > self._limits.message_bytes_max:
            raise NotSent(fault("transport-too-large", limit=self._limits.message_bytes_max))
        with _raising(NotSent, self._sent):
            kept = self._put(self._sent, name, data)
        try:
            with _raising(NotSent, self._outbox):
                self._hand_over(name, data)
        except NotSent:
            if kept:
                with suppress(OSError):
                    (self._sent / name).unlink()
            raise

    async def receive(self, limit: int) -> list[Incoming]:
        """Complete files of the inbox, oldest first; what cannot be taken goes to ``failed`` with its reason."""
        with _raising(Unavailable, self._inbox):
            taken: list[Incoming] = []
            size = 0
            for name, look in self._complete(self._now_ms()):
                if len(taken) == limit or size >= RECEIVE_BYTES_MAX:
                    break
                if incoming := self._take(name, look):
                    taken.append(incoming)
                    size += len(incoming.data)
            return taken

    async def done(self, incoming: Incoming) -> None:
        """Move the file to ``received``; a newer file under its name stays and is offered in its turn."""
        with _raising(Unavailable, self._received):
            self._move(incoming.name, incoming.mark, self._received / incoming.name)

    async def health(self) -> Health:
        """What keeps the folders from working, and how many files lie where."""
        if faults := self._faults():
            return Health(faults, outgoing=0, waiting_ms=0, incoming=0, failed=0)
        with _raising(Unavailable, self._outbox):
            changed_ms = [found.st_mtime_ns // 1_000_000 for _, found in _files(self._outbox)]
            return Health(
                faults=(),
                outgoing=len(changed_ms),
                waiting_ms=max(0, self._now_ms() - min(changed_ms)) if changed_ms else 0,
                incoming=sum(1 for _ in _files(self._inbox)),
                failed=sum(not name.endswith(_REASON) for name, _ in _files(self._failed)),
            )

    def _faults(self) -> list[Fault]:
        folders = (self._outbox, self._inbox, self._sent, self._received, self._failed)
        missing = [folder for folder in folders if not folder.is_dir()]
        denied = [
            folder for folder in folders if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
        ]
        return [fault("transport-folder-missing", folder=str(each)) for each in missing] + [
            fault("transport-denied", folder=str(each)) for each in denied
        ]

    def _put(self, folder: Path, name: str, data: bytes) -> bool:
        """Place a file without making it last; False when it is there already."""
        if _holds(folder / name, data):
            return False
        with self._drafted(folder, name, data) as draft:
            draft.rename(folder / name)
        return True

    def _hand_over(self, name: str, data: bytes) -> None:
        target = self._outbox / name
        if not _holds(target, data):
            with self._drafted(self._outbox, name, data, lasting=True) as draft:
                try:
                    draft.rename(target)
                except OSError as error:
                    if error.errno in _MISSING | _DENIED | _FULL:
                        raise
                    raise Uncertain(_uncertain(self._outbox, error)) from None
        try:
            _sync(self._outbox)
        except OSError as error:
            raise Uncertain(_uncertain(self._outbox, error)) from None

    @contextmanager
    def _drafted(self, folder: Path, name: str, data: bytes, *, lasting: bool = False) -> Iterator[Path]:
        """The file under a name of its own, which access clients pass over, because it begins with a dot."""
        draft = folder / f".{name}.{os.getpid()}-{next(self._drafts)}{_DRAFT}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE), "wb") as file:
                file.write(data)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            yield draft
        finally:
            with suppress(OSError):  # as a rule it has its real name by now
                draft.unlink()

    def _complete(self, now_ms: int) -> Iterator[tuple[str, _Look]]:
        """The files of the inbox that have stopped growing, oldest change first; an empty one has not been written."""
        looks: dict[str, _Look] = {}
        complete: list[tuple[int, str]] = []
        for name, found in _files(self._inbox):
            look = self._looks.get(name) or _Look(_mark(found), now_ms, now_ms)
            if look.mark != _mark(found):
                look = _Look(_mark(found), look.first_seen_ms, now_ms)
            looks[name] = look
            written = found.st_size or not stat.S_ISREG(found.st_mode)
            if written and now_ms - look.since_ms >= self._settle_ms:
                complete.append((found.st_mtime_ns, name))
        self._looks = looks
        return ((name, looks[name]) for _, name in sorted(complete))

    def _take(self, name: str, look: _Look) -> Incoming | None:
        """Read one file; None when it is gone, has changed again, or had to be set aside."""
        if not _storable(name):
            return self._set_aside(f"unnamed-{look.mark[-1]}", name, look, fault("incoming-name"))
        try:
            data = _read(self._inbox / name, look.mark, self._limits.receipt_bytes_max)
        except FileNotFoundError:
            return None
        except Refused as refused:
            return self._set_aside(name, name, look, refused.faults[0])
        return None if data is None else Incoming(name, data, look.first_seen_ms, look.mark)

    def _set_aside(self, kept_as: str, name: str, look: _Look, reason: Fault) -> None:
        said = reason.as_json()
        with suppress(OSError):  # it stays in the inbox then, and health tells what is wrong with the folder
            if moved := self._move(name, look.mark, self._failed / kept_as):
                text = f"{said['code']}\n{said['zh']}\n{said['en']}\n"
                moved.with_name(moved.name + _REASON).write_text(text, encoding="utf-8")

    def _move(self, name: str, mark: Mark, target: Path) -> Path | None:
        """Move a file out of the inbox, unless it is gone or another by now; never over one that is there already."""
        source = self._inbox / name
        try:
            if _mark(source.lstat()) != mark:
                return None
        except FileNotFoundError:
            return None
        free = target
        for number in count(1):
            if not os.path.lexists(free):
                break
            free = target.with_name(f"{target.stem}.{mark[-1]}-{number}{target.suffix}")
        source.rename(free)
        self._looks.pop(name, None)
        return free


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The entries of a folder that are no folders and not being written, as far as they are looked at in one go."""
    with os.scandir(folder) as entries:
        for entry in islice(entries, SCAN_ENTRIES_MAX):
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            with suppress(FileNotFoundError):  # taken by the other side meanwhile
                found = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    yield entry.name, found


def _storable(name: str) -> bool:
    """Whether a name can be kept everywhere, with room for what the archive appends to it."""
    return name.isprintable() and len(name.encode()) <= INCOMING_NAME_BYTES_MAX


def _mark(found: os.stat_result) -> Mark:
    return found.st_size, found.st_mtime_ns


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file is there already with just these bytes; raises NotSent when it holds others."""
    try:
        with path.open("rb") as file:
            found = file.read(len(data) + 1)
    except FileNotFoundError:
        return False
    if found != data:
        raise NotSent(fault("transport-name-taken", folder=str(path.parent)))
    return True


def _read(path: Path, mark: Mark, bytes_max: int) -> bytes | None:
    """The content of a file that still looks as it did; raises Refused when it is not to be taken at all."""
    try:
        # a link would lead out of the inbox, a pipe would block
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise Refused(fault("incoming-kind")) from None
        if error.errno in _DENIED:
            raise Refused(fault("incoming-unreadable", reason=_reason(error))) from None
        raise
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Refused(fault("incoming-kind"))
        data = file.read(bytes_max + 1)
        if len(data) > bytes_max:
            raise Refused(fault("incoming-too-large", limit=bytes_max))
        return data if _mark(os.fstat(handle)) == mark else None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def _clear_drafts(folder: Path, now_ms: int) -> None:
    for draft in folder.glob(f".*{_DRAFT}"):
        with suppress(FileNotFoundError):
            if now_ms / 1000 - draft.stat().st_mtime > DRAFT_KEPT_SECONDS:
                draft.unlink()


@contextmanager
def _raising(kind: type[TransportFault], folder: Path) -> Iterator[None]:
    """Whatever the operating system refuses becomes a fault of the transport that names the folder."""
    try:
        yield
    except OSError as error:
        raise kind(_fault(folder, error)) from None


def _fault(folder: Path, error: OSError) -> Fault:
    for code, numbers in (
        ("transport-folder-missing", _MISSING),
        ("transport-denied", _DENIED),
        ("transport-full", _FULL),
    ):
        if error.errno in numbers:
            return fault(code, folder=str(folder))
    return fault("transport-failed", folder=str(folder), reason=_reason(error))


def _uncertain(folder: Path, error: OSError) -> Fault:
    return fault("transport-uncertain", folder=str(folder), reason=_reason(error))


def _reason(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "unknown")
