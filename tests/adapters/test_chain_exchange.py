"""A fetched chain takes the place of another, whatever moment a kill chooses. DIVERGE-10, DIVERGE-12."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from coc.adapters import chain_exchange
from coc.adapters.chain_exchange import FETCHED, FETCHING, LOCK_FILE, SET_ASIDE, commit, settle, was_exchanged

CHAIN = ("log", "state", "index")
KEPT = ("keys/signer.mark", "wal/wal", "mempool.journal", "genesis.json", "peers")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with an old chain and all that stays, and a new chain that was fetched beside it."""
    for root, word in ((tmp_path, "old"), (tmp_path / FETCHING, "new")):
        for name in CHAIN:
            write(root / name / "file", word)
    write(tmp_path / FETCHING / "way", "new")
    write(tmp_path / FETCHING / LOCK_FILE, "")
    for name in KEPT:
        write(tmp_path / name, "stays")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def words(root: Path) -> set[str]:
    """What the parts of a chain say that they are."""
    return {(root / name / "file").read_text() for name in CHAIN}


def assert_exchanged(folder: Path) -> None:
    assert words(folder) == {"new"}
    assert words(folder / SET_ASIDE) == {"old"}
    assert (folder / "way").read_text() == "new"
    assert not (folder / FETCHED).exists()
    assert not (folder / FETCHING).exists()
    assert {(folder / name).read_text() for name in KEPT} == {"stays"}


def test_without_a_commit_nothing_changes_its_place(folder: Path) -> None:
    settle(folder)
    assert words(folder) == {"old"}
    assert not was_exchanged(folder)
    assert words(folder / FETCHING) == {"new"}


def test_a_committed_chain_takes_the_place_and_everything_else_stays(folder: Path) -> None:
    commit(folder)
    assert words(folder) == {"old"}, "whoever has it open goes on with it"
    settle(folder)
    assert_exchanged(folder)
    assert was_exchanged(folder)
    settle(folder)
    assert_exchanged(folder)


def test_a_kill_at_any_step_is_made_good_by_the_next_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rename and removal is the last thing that one life does, and the next begins after it."""
    sound = {name: getattr(chain_exchange, name) for name in ("_move", "remove")}
    steps = 0

    def counted(name: str) -> None:
        def step(*paths: Path) -> None:
            nonlocal steps
            sound[name](*paths)
            steps += 1
            raise Killed

        monkeypatch.setattr(chain_exchange, name, step)

    commit(folder)
    for name in sound:
        counted(name)
    is_over = False
    while not is_over:
        try:
            settle(folder)
            is_over = True
        except Killed:
            assert_both_are_whole(folder)
    assert steps == 2 * len(CHAIN) + 2, "two renames each, one of the way, one removal"
    assert_exchanged(folder)


def assert_both_are_whole(folder: Path) -> None:
    """Wherever their parts are."""
    found = sorted(path.read_text() for path in folder.rglob("file"))
    assert found == ["new"] * len(CHAIN) + ["old"] * len(CHAIN)


def test_before_its_commit_a_kill_leaves_the_old_chain(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Path) -> None:
        raise Killed

    monkeypatch.setattr(chain_exchange, "_move", killed)
    with pytest.raises(Killed):
        commit(folder)
    settle(folder)
    assert words(folder) == {"old"}


def test_what_an_earlier_exchange_has_left_goes_before_the_next(folder: Path) -> None:
    write(folder / SET_ASIDE / "log" / "older", "older")
    commit(folder)
    settle(folder)
    assert_exchanged(folder)
    assert not (folder / SET_ASIDE / "log" / "older").exists()


def test_somebody_who_made_a_folder_between_two_renames_does_not_stop_it(folder: Path) -> None:
    commit(folder)
    (folder / SET_ASIDE).mkdir()
    (folder / "log").rename(folder / SET_ASIDE / "log")
    write(folder / "log" / "file", "made anew")
    settle(folder)
    assert_exchanged(folder)


def test_while_another_process_has_the_folder_nothing_is_touched(folder: Path) -> None:
    commit(folder)
    with (folder / LOCK_FILE).open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        settle(folder)
        assert words(folder) == {"old"}
    settle(folder)
    assert_exchanged(folder)
