"""The folder of key files: private, whole, never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from coc.adapters.keystore import KeyExists, Keystore, KeystoreFailed, new_secret, read_bounded
from coc.primitives.keystore import ScryptCost, open_key_file
from coc.primitives.limits import KEYSTORE_FILES_MAX
from coc.primitives.secp256k1 import address_of

CHEAP = ScryptCost(n=2, p=1)


def test_a_key_that_was_added_is_listed_and_opens(tmp_path: Path) -> None:
    keys = Keystore(tmp_path / "deep" / "keystore")
    secret = new_secret()
    stored = keys.add(secret, b"pw", CHEAP)
    assert keys.list() == [stored]
    assert stored.address == address_of(secret)
    assert open_key_file(keys.read(stored.path), b"pw") == secret


def test_files_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    stored = Keystore(tmp_path / "keystore").add(new_secret(), b"pw", CHEAP)
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stored.path.parent.stat().st_mode) == 0o700
    assert list(stored.path.parent.iterdir()) == [stored.path]


def test_a_key_is_never_added_twice(tmp_path: Path) -> None:
    keys = Keystore(tmp_path)
    secret = new_secret()
    keys.add(secret, b"pw", CHEAP)
    with pytest.raises(KeyExists):
        keys.add(secret, b"other", CHEAP)
    assert len(keys.list()) == 1


def test_damaged_and_exposed_files_are_listed_with_what_is_wrong(tmp_path: Path) -> None:
    keys = Keystore(tmp_path)
    stored = keys.add(new_secret(), b"pw", CHEAP)
    stored.path.chmod(0o644)
    (tmp_path / "A-damaged").write_text("{")
    (tmp_path / ".hidden").write_text("not ours")
    damaged, exposed = keys.list()
    assert (damaged.address, "not JSON" in damaged.problem or "line 1" in damaged.problem) == (None, True)
    assert (exposed.address, "chmod 600" in exposed.problem) == (stored.address, True)


def test_a_folder_that_is_not_there_holds_no_keys(tmp_path: Path) -> None:
    assert Keystore(tmp_path / "nowhere").list() == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeystoreFailed, match="file"):
        Keystore(tmp_path / "file" / "keystore").add(new_secret(), b"pw", CHEAP)


def test_a_folder_of_far_too_many_files_is_the_wrong_one(tmp_path: Path) -> None:
    for number in range(KEYSTORE_FILES_MAX + 1):
        (tmp_path / str(number)).touch()
    with pytest.raises(KeystoreFailed, match="too many files"):
        Keystore(tmp_path).list()


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert read_bounded(path, 10) == b"x" * 10
    with pytest.raises(KeystoreFailed, match="too large"):
        read_bounded(path, 9)
    with pytest.raises(KeystoreFailed, match="cannot read"):
        read_bounded(tmp_path / "nowhere", 10)
