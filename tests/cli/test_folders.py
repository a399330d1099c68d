"""`coc init`, `import` and `export` on real folders and files, and what each refuses with which cure."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from coc._native import Chain
from coc.adapters.chain_files import write_block_file
from coc.execution.genesis import read_genesis
from tests.adapters.sealed_chain import SealedChain, with_header_field
from tests.cli.folders import coc, ethereum_genesis, facts, own_genesis, refusal


def filled(folder: Path, genesis_file: Path, blocks: int = 3) -> SealedChain:
    """A data folder of ours with blocks in it, closed."""
    chain = SealedChain(folder, read_genesis(genesis_file.read_bytes()))
    raw = chain.transfer(0)
    chain.extend(blocks, [chain.judged(raw)])
    chain.chain.close()
    return chain


# ── There and back ──────────────────────────────────────────────────────────────────────────────────────────


def test_blocks_of_ours_go_by_export_and_import_into_another_folder_and_end_on_the_same_head(
    tmp_path: Path,
) -> None:
    genesis_file = own_genesis(tmp_path)
    source = filled(tmp_path / "a", genesis_file)
    head = f"0x{source.chain.head.hash.hex()}"
    del source
    gc.collect()
    exported = facts(coc("export", tmp_path / "blocks.coc", "--data", tmp_path / "a", "--json"))
    assert (exported["kind"], exported["first"], exported["last"]) == ("coc", 1, 3)
    made = facts(coc("init", "--data", tmp_path / "b", "--genesis", genesis_file, "--json"))
    assert (made["created"], made["kind"], made["head"]) == (True, "coc", 0)
    said = facts(coc("import", tmp_path / "blocks.coc", "--data", tmp_path / "b", "--json"))
    assert (said["imported"], said["known"], said["head"]) == (3, 0, {"number": 3, "hash": head})
    again = facts(coc("import", tmp_path / "blocks.coc", "--data", tmp_path / "b", "--json"))
    assert (again["imported"], again["known"]) == (0, 3)


def ethereum_blocks(genesis_file: Path, count: int) -> list[bytes]:
    """Valid empty blocks of the Ethereum chain."""
    chain = Chain.open(genesis_file.read_bytes(), None, b"{}")
    blocks = []
    for _ in range(count):
        attributes = {
            "timestamp": chain.head.timestamp + 12,
            "coinbase": f"0x{'00' * 20}",
            "gas_limit_target": chain.head.gas_limit,
        }
        built = chain.build(chain.head.hash, json.dumps(attributes).encode(), [], None)
        chain.decide(built.hash, b"")
        blocks.append(built.block_rlp)
    return blocks


def test_blocks_of_an_ethereum_chain_come_out_byte_for_byte_as_they_went_in(tmp_path: Path) -> None:
    genesis_file, data = ethereum_genesis(tmp_path), tmp_path / "eth"
    blocks = ethereum_blocks(genesis_file, 6)
    write_block_file(tmp_path / "1.rlp", blocks[:2])
    write_block_file(tmp_path / "2.rlp", blocks[1:])
    coc("init", "--data", data, "--genesis", genesis_file)
    said = facts(coc("import", tmp_path / "1.rlp", tmp_path / "2.rlp", "--data", data, "--json"))
    assert (said["imported"], said["known"], said["head"]["number"]) == (6, 1, 6)
    assert coc("export", tmp_path / "all.rlp", "--data", data).exit_code == 0
    assert (tmp_path / "all.rlp").read_bytes() == b"".join(blocks)
    coc("export", tmp_path / "part.rlp", "--data", data, "--first", 3, "--last", 4)
    assert (tmp_path / "part.rlp").read_bytes() == b"".join(blocks[2:4])


def test_an_export_that_begins_with_the_genesis_block_can_be_imported(tmp_path: Path) -> None:
    genesis_file = ethereum_genesis(tmp_path)
    coc("init", "--data", tmp_path / "eth", "--genesis", genesis_file)
    coc("export", tmp_path / "zero.rlp", "--data", tmp_path / "eth", "--first", 0, "--last", 0)
    said = facts(coc("import", tmp_path / "zero.rlp", "--data", tmp_path / "eth", "--json"))
    assert (said["imported"], said["known"]) == (0, 1)
    other = json.loads(genesis_file.read_text()) | {"gasLimit": "0x1c9c381"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    coc("init", "--data", tmp_path / "other", "--genesis", tmp_path / "other.json")
    assert "genesis block of another chain" in refusal(
        coc("import", tmp_path / "zero.rlp", "--data", tmp_path / "other")
    )


def test_the_first_refused_block_is_named_and_the_ones_before_it_stay(tmp_path: Path) -> None:
    genesis_file, data = ethereum_genesis(tmp_path), tmp_path / "eth"
    blocks = ethereum_blocks(genesis_file, 4)
    blocks[2] = with_header_field(blocks[2], 11, 1)
    write_block_file(tmp_path / "bad.rlp", blocks)
    coc("init", "--data", data, "--genesis", genesis_file)
    said = refusal(coc("import", tmp_path / "bad.rlp", "--data", data))
    assert "block 3 is refused" in said
    assert "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT" in said
    result = coc("import", tmp_path / "bad.rlp", "--data", data, "--json")
    assert result.exit_code == 1
    said_in_json = json.loads(result.stdout)
    assert (said_in_json["known"], said_in_json["refused"]["number"]) == (2, 3)


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_without_a_chain_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    (tmp_path / "blocks").write_bytes(b"x")
    for command in (["import", tmp_path / "blocks"], ["export", tmp_path / "out"], ["node"]):
        assert f"coc init --data {tmp_path / 'none'}" in refusal(coc(*command, "--data", tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_init_is_repeatable_and_refuses_another_genesis(tmp_path: Path) -> None:
    first, second = own_genesis(tmp_path, 1), own_genesis(tmp_path, 2)
    assert facts(coc("init", "--data", tmp_path / "d", "--genesis", first, "--json"))["created"]
    assert not facts(coc("init", "--data", tmp_path / "d", "--genesis", first, "--json"))["created"]
    assert "another `--data` folder" in refusal(coc("init", "--data", tmp_path / "d", "--genesis", second))


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    genesis_file = own_genesis(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters.txt").write_text("dear")
    for command in (["init", "--genesis", genesis_file], ["up", "--port", 0]):
        assert "`letters.txt` is in it" in refusal(coc(*command, "--data", tmp_path / "home"))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letters.txt"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    genesis_file = own_genesis(tmp_path)
    (tmp_path / "file").write_text("")
    for command in (["init", "--genesis", genesis_file], ["up", "--port", 0]):
        refusal(coc(*command, "--data", tmp_path / "file" / "data"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"config": 5}', '{"alloc": {}}', '{"config":{"coc":{}},"alloc":{}}']
)
def test_a_genesis_file_that_is_none_is_refused_and_no_folder_made(tmp_path: Path, text: str) -> None:
    (tmp_path / "genesis.json").write_text(text)
    refusal(coc("init", "--data", tmp_path / "d", "--genesis", tmp_path / "genesis.json"))
    assert not (tmp_path / "d").exists()


def test_a_folder_in_use_names_the_process_that_has_it(tmp_path: Path) -> None:
    genesis_file = own_genesis(tmp_path)
    held = SealedChain(tmp_path / "d", read_genesis(genesis_file.read_bytes()))
    for command in (["init", "--genesis", genesis_file], ["export", tmp_path / "out"]):
        assert "in use by process" in refusal(coc(*command, "--data", tmp_path / "d"))
    assert held.chain.head.number == 0


def test_a_folder_of_a_newer_release_says_what_to_install(tmp_path: Path) -> None:
    genesis_file = own_genesis(tmp_path)
    coc("init", "--data", tmp_path / "d", "--genesis", genesis_file)
    segment = next(path for path in (tmp_path / "d" / "log").iterdir() if path.stat().st_size > 64)
    with segment.open("r+b") as file:
        found = file.read(4096).find(b"COCBLOCK")
        assert found >= 0
        file.seek(found + 8)
        file.write((99).to_bytes(4, "little"))
    assert "install the release" in refusal(coc("export", tmp_path / "out", "--data", tmp_path / "d"))


def test_files_of_the_wrong_kind_or_chain_are_refused(tmp_path: Path) -> None:
    ours, other, eth = own_genesis(tmp_path), own_genesis(tmp_path, 5), ethereum_genesis(tmp_path)
    filled(tmp_path / "ours", ours)
    gc.collect()
    coc("export", tmp_path / "ours.coc", "--data", tmp_path / "ours")
    coc("init", "--data", tmp_path / "other", "--genesis", other)
    coc("init", "--data", tmp_path / "eth", "--genesis", eth)
    write_block_file(tmp_path / "plain.rlp", ethereum_blocks(eth, 1))
    assert "of another chain" in refusal(coc("import", tmp_path / "ours.coc", "--data", tmp_path / "other"))
    assert "of a COC chain" in refusal(coc("import", tmp_path / "ours.coc", "--data", tmp_path / "eth"))
    assert "coc export" in refusal(coc("import", tmp_path / "plain.rlp", "--data", tmp_path / "ours"))
    assert "no block begins" in refusal(coc("import", ours, "--data", tmp_path / "eth"))


def test_an_export_never_writes_over_a_file_and_leaves_none_behind(tmp_path: Path) -> None:
    genesis_file = own_genesis(tmp_path)
    filled(tmp_path / "d", genesis_file)
    gc.collect()
    (tmp_path / "out").write_text("precious")
    assert "is there already" in refusal(coc("export", tmp_path / "out", "--data", tmp_path / "d"))
    assert (tmp_path / "out").read_text() == "precious"
    for bounds in (["--first", 9], ["--first", 3, "--last", 2], ["--last", 4]):
        refusal(coc("export", tmp_path / "new", "--data", tmp_path / "d", *bounds))
    refusal(coc("export", tmp_path / "missing" / "new", "--data", tmp_path / "d"))
    assert sorted(path.name for path in tmp_path.glob("new*")) == []
