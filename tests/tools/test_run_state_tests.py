"""The archive of state tests is unpacked once, whole or not at all."""

import tarfile
from pathlib import Path

import pytest

from tools.run_state_tests import main, unpack


def _archive(folder: Path, name: str, text: str) -> Path:
    source = folder / name
    source.write_text(text, encoding="utf-8")
    archive = folder / "tests-subset.tar.xz"
    with tarfile.open(archive, "w:xz") as opened:
        opened.add(source, arcname=name)
    return archive


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    archive = _archive(tmp_path, "a.json", "{}")
    place = unpack(archive, tmp_path / "out")
    (place / "a.json").write_text("kept", encoding="utf-8")

    assert unpack(archive, tmp_path / "out") == place
    assert (place / "a.json").read_text(encoding="utf-8") == "kept"


def test_a_newer_archive_is_unpacked_anew(tmp_path: Path) -> None:
    old = unpack(_archive(tmp_path, "a.json", "{}"), tmp_path / "out")
    new = unpack(_archive(tmp_path, "b.json", '{"much": "longer than before"}'), tmp_path / "out")

    assert old != new
    assert [path.name for path in new.iterdir()] == ["b.json"]


def test_a_damaged_archive_leaves_no_folder_that_looks_whole(tmp_path: Path) -> None:
    archive = _archive(tmp_path, "a.json", "{}")
    archive.write_bytes(archive.read_bytes()[:40])

    with pytest.raises((tarfile.TarError, EOFError)):
        unpack(archive, tmp_path / "out")

    assert [path for path in (tmp_path / "out").iterdir() if path.suffix != ".unfinished"] == []


def test_missing_data_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CONFORMANCE_DIR", str(tmp_path))

    assert main() == 2
    assert "CONFORMANCE_DIR must name the folder" in capsys.readouterr().out
