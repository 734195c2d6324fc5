"""Files written whole or not at all: a reader, or a run killed half-way, never meets half a file."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from steadyflux.ground.errors import InputError

__all__ = ["atomic_path", "write_atomic"]


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Generator[Path, None, None]:
    """Give a temporary path beside `path` to write to; it replaces `path` when the block ends without an error.

    The temporary file exists and is empty at the start, and keeps the suffix of `path` since some writers choose their
    format by it. It is removed when the block fails. Raises InputError when the folder cannot be written.
    """
    target = Path(path)
    if target.is_symlink():
        target = target.resolve()  # replace what the link points at, not the link
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder", "give the name of a file in it")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-", suffix=target.suffix)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"cannot write {target}: {reason}", "give a path in an existing folder you may write to"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_mode(target))
        _flush_to_disk(temporary)
        try:
            temporary.replace(target)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"cannot replace {target}: {reason}", "close it elsewhere or give another name") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_atomic(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write `data` (a text as UTF-8, its line ends kept) to `path`, whole or not at all.

    Raises InputError when the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)


def _flush_to_disk(path: Path) -> None:
    """Wait until the file's content is on the disk: a rename may otherwise outlive its content in a power failure."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mode(target: Path) -> int:
    """The permissions of the file to be replaced, or those any new file gets here (a temporary file is private)."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
