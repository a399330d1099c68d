"""Links of the way from genesis are kept in order, once each, and a torn end costs what is torn. SYNC-6."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.validator.way_file import WAY_FILE, WayFile
from coc.consensus.finality.records import Link
from coc.primitives.types import Height
from tests.consensus.finality.forged import REGISTRY, forged

PERIOD = REGISTRY.period_blocks
LINKS = [record for record in forged(("abcd", "abcd", "abcde")).proof(30) if isinstance(record, Link)]
BOUNDARIES = [Height(PERIOD * number - 1) for number in range(1, len(LINKS) + 1)]
ENCODED = [link.encode() for link in LINKS]


def kept(folder: Path) -> list[Link | None]:
    way = WayFile(folder, PERIOD)
    return [way.link(boundary) for boundary in BOUNDARIES]


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    WayFile(tmp_path, PERIOD).extend(BOUNDARIES[0], ENCODED)
    assert kept(tmp_path) == LINKS


def test_pages_may_overlap_and_none_is_kept_twice(tmp_path: Path) -> None:
    way = WayFile(tmp_path, PERIOD)
    way.extend(BOUNDARIES[0], ENCODED[:3])
    way.extend(BOUNDARIES[1], ENCODED[1:5])
    way.extend(BOUNDARIES[0], ENCODED[:2])
    WayFile(tmp_path, PERIOD).extend(BOUNDARIES[5], ENCODED[5:])
    assert kept(tmp_path) == LINKS
    assert (tmp_path / WAY_FILE).stat().st_size == sum(8 + len(each) for each in ENCODED)


def test_a_gap_is_not_filled_with_what_comes_behind_it(tmp_path: Path) -> None:
    way = WayFile(tmp_path, PERIOD)
    way.extend(BOUNDARIES[2], ENCODED[2:])
    assert len(way) == 0


@pytest.mark.parametrize("cut", [1, 7, 9, 100])
def test_a_torn_end_is_cut_away_and_written_again(tmp_path: Path, cut: int) -> None:
    WayFile(tmp_path, PERIOD).extend(BOUNDARIES[0], ENCODED)
    path = tmp_path / WAY_FILE
    path.write_bytes(path.read_bytes()[:-cut])
    assert kept(tmp_path) == [*LINKS[:-1], None]
    WayFile(tmp_path, PERIOD).extend(BOUNDARIES[0], ENCODED)
    assert kept(tmp_path) == LINKS


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    WayFile(tmp_path, PERIOD).extend(BOUNDARIES[0], ENCODED)
    path = tmp_path / WAY_FILE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    found = kept(tmp_path)
    assert found != LINKS
    assert all(link is None or link == true for link, true in zip(found, LINKS, strict=True))
