"""Files are written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from steadyflux.ground.errors import InputError
from steadyflux.ground.files import atomic_path, write_atomic


@pytest.mark.parametrize("data", ["line µ\r\n\n", b"\x00\xff", "", b""])
def test_the_file_holds_what_was_written_and_nothing_stays_beside_it(tmp_path, data):
    path = tmp_path / "result.json"
    path.write_text("the old content, longer than the new one")
    write_atomic(path, data)
    assert path.read_bytes() == (data.encode() if isinstance(data, str) else data)
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_whole_until_the_end_and_when_writing_fails(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="planted"), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        assert path.read_text() == "old"
        raise RuntimeError("planted")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_stands_beside_and_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / "field.nc") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".nc"
        temporary.write_text("new")
    assert (tmp_path / "field.nc").read_text() == "new"


def test_a_bare_name_goes_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomic("a.txt", "here")
    assert Path("a.txt").read_text() == "here"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_are_those_of_the_old_file_or_of_any_new_one(tmp_path):
    path = tmp_path / "a"
    before = os.umask(0o027)
    try:
        write_atomic(path, "1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        write_atomic(path, "2")
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomic(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_what_cannot_be_written_is_refused_with_the_reason(tmp_path):
    with pytest.raises(InputError, match="no such file or directory; give a path in an existing folder"):
        write_atomic(tmp_path / "missing" / "a", "x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="not a directory"):
        write_atomic(tmp_path / "file" / "a", "x")
    with pytest.raises(InputError, match="is a folder"):
        write_atomic(tmp_path, "x")
