"""A runtime settles everything exactly once, whatever fails, and goes on when it can."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from coc._native import StorageFailed
from coc.adapters import journal_keeper
from coc.adapters.journal import JOURNAL_FILE, Journal, parse_journal
from coc.adapters.runtime import STOPPING, SealingRefused
from coc.consensus.rotation.engine import Sealing
from coc.consensus.rotation.idle import SEALS_NOTHING
from coc.execution.mempool import refusals
from coc.node.inputs import TimerFired
from coc.primitives.keccak import keccak256
from coc.primitives.limits import MEMPOOL_JOURNAL_FSYNC_MS_MAX
from coc.rpc.ports import Accepted, Outcome, Refused
from tests.adapters.full_disk import file_size_at_most
from tests.adapters.sealed_chain import STRANGER
from tests.adapters.stage import Gate, Stage, failing, play

NO_SPACE = StorageFailed("no space left on the device", True)


def codes(outcomes: list[Outcome]) -> list[str]:
    """What became of each, in a word."""
    words = []
    for outcome in outcomes:
        match outcome:
            case Accepted():
                words.append("accepted")
            case Refused(code, _):
                words.append(code)
            case Exception():
                words.append(type(outcome).__name__)
    return words


# ── Transactions ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_is_in_the_journal_before_its_sender_hears_of_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        seen: list[list[bytes]] = []
        raw = stage.transfer(0)

        def done(outcomes: object) -> None:
            seen.append(parse_journal((tmp_path / JOURNAL_FILE).read_bytes()).raws)

        stage.runtime.submit_many([raw], lambda: None, done)
        assert seen == [[raw]]

    play(scene, folder=tmp_path)


def test_outcomes_come_in_the_order_of_the_transactions_each_with_its_own_reason() -> None:
    async def scene(stage: Stage) -> None:
        raws = [b"junk", stage.transfer(1), stage.transfer(0), stage.transfer(0, gas="0x1")]
        outcomes = await stage.submitted(*raws)
        words = codes(outcomes)
        assert words[1:3] == ["accepted", "accepted"]
        assert all(isinstance(outcomes[index], Refused) for index in (0, 3))
        assert [o.hash for o in outcomes if isinstance(o, Accepted)] == [keccak256(raw) for raw in raws[1:3]]

    play(scene)


def test_the_same_transaction_twice_in_a_call_is_taken_once() -> None:
    async def scene(stage: Stage) -> None:
        raw = stage.transfer(0)
        known = refusals.ALREADY_KNOWN.code
        assert codes(await stage.submitted(raw, raw, raw)) == ["accepted", known, known]
        assert codes(await stage.submitted(raw)) == [known]

    play(scene)


def test_a_native_failure_while_judging_settles_every_transaction_of_the_call() -> None:
    async def scene(stage: Stage) -> None:
        with failing(stage, "admit", NO_SPACE):
            assert codes(await stage.submitted(stage.transfer(0), stage.transfer(1))) == ["StorageFailed"] * 2
            with pytest.raises(StorageFailed):
                stage.submitted(stage.transfer(0))
        assert codes(await stage.submitted(stage.transfer(0))) == ["accepted"]

    play(scene)


def test_transactions_judged_on_an_old_head_are_judged_again_once_and_taken() -> None:
    async def scene(stage: Stage) -> None:
        gate = stage.faulty.gates["admit"] = Gate()
        outcomes = stage.submitted(stage.transfer(0), stage.transfer(1))
        await gate.reached.wait()
        assert await stage.sealed() is None
        gate.open()
        assert codes(await outcomes) == ["accepted", "accepted"]
        assert stage.faulty.calls.count("classify") == 1

    play(scene)


def test_a_failure_while_judging_again_settles_every_transaction_too() -> None:
    async def scene(stage: Stage) -> None:
        gate = stage.faulty.gates["admit"] = Gate()
        outcomes = stage.submitted(stage.transfer(0), stage.transfer(1))
        await gate.reached.wait()
        await stage.sealed()
        with failing(stage, "classify", NO_SPACE):
            gate.open()
            assert codes(await outcomes) == ["StorageFailed", "StorageFailed"]

    play(scene)


def defective(now_ms: object, event: object) -> NoReturn:
    """A step with a mistake in it."""
    raise KeyError("defect")


@pytest.mark.parametrize("count", [1, 2])
def test_a_defect_in_the_machine_leaves_no_client_waiting_and_later_calls_are_answered(count: int) -> None:
    async def scene(stage: Stage) -> None:
        raws = [stage.transfer(nonce) for nonce in range(count)]
        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        step = stage.pool.step
        stage.pool.step = defective  # type: ignore[method-assign]
        assert codes(await stage.submitted(*raws)) == ["KeyError"] * count
        stage.pool.step = step  # type: ignore[method-assign]
        assert codes(await stage.submitted(*raws)) == ["accepted"] * count
        assert len(told) == 1

    play(scene)


def test_a_full_journal_refuses_transactions_keeps_none_and_takes_them_when_there_is_room(
    tmp_path: Path,
) -> None:
    async def scene(stage: Stage) -> None:
        raw = stage.transfer(0)
        with file_size_at_most(20):
            assert codes(await stage.submitted(raw)) == [refusals.JOURNAL_FAILED]
            assert codes(await stage.submitted(raw, stage.transfer(1))) == [refusals.JOURNAL_FAILED] * 2
        assert stage.pool.view.counts() == (0, 0)
        assert "journal: " in stage.readiness()
        assert codes(await stage.submitted(raw)) == ["accepted"]
        assert stage.readiness() == "ready\n"

    play(scene, Sealing.INSTANT, folder=tmp_path)


def test_an_instant_chain_seals_after_its_journal_was_full(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        with file_size_at_most(20):
            await stage.submitted(stage.transfer(0))
        await stage.submitted(stage.transfer(0))
        await stage.until(lambda: stage.chain.head.transaction_count == 1)

    play(scene, Sealing.INSTANT, folder=tmp_path)


# ── The journal across restarts ─────────────────────────────────────────────────────────────────────────────


def test_acknowledged_transactions_return_after_a_restart_and_get_into_a_block(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.submitted(stage.transfer(0), stage.transfer(1), stage.transfer(0, secret=STRANGER))

    async def after(stage: Stage) -> None:
        assert stage.pool.view.counts() == (3, 0)
        assert await stage.sealed() is None
        assert stage.chain.head.transaction_count == 3

    source = play(before, folder=tmp_path)
    play(after, folder=tmp_path, source=source)


def test_a_restart_clears_the_journal_of_what_blocks_have_taken(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.submitted(*(stage.transfer(nonce) for nonce in range(5)))
        await stage.sealed()
        await stage.submitted(stage.transfer(5))

    async def after(stage: Stage) -> None:
        assert parse_journal((tmp_path / JOURNAL_FILE).read_bytes()).raws == [stage.transfer(5)]

    source = play(before, folder=tmp_path)
    play(after, folder=tmp_path, source=source)


def test_a_restart_verifies_no_signature_of_what_the_newest_blocks_have_taken(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.submitted(*(stage.transfer(nonce) for nonce in range(5)))
        await stage.sealed()
        await stage.sealed()
        await stage.submitted(stage.transfer(5), stage.transfer(6))

    async def after(stage: Stage) -> None:
        assert stage.faulty.arguments["admit"][1] == [stage.transfer(5), stage.transfer(6)]
        assert stage.pool.view.counts() == (2, 0)

    source = play(before, folder=tmp_path)
    play(after, folder=tmp_path, source=source)


@pytest.mark.parametrize("looks", [0, 1])
def test_what_a_restart_does_not_look_for_is_judged_as_what_a_block_has_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    async def before(stage: Stage) -> None:
        await stage.submitted(*(stage.transfer(nonce) for nonce in range(3)))
        for _ in range(8):
            await stage.sealed()

    async def after(stage: Stage) -> None:
        assert stage.pool.view.counts() == (0, 0)
        assert stage.faulty.calls.count("transaction_hashes") == 3 * looks

    source = play(before, folder=tmp_path)
    monkeypatch.setattr(journal_keeper, "LOOKS_PER_RECORD_MAX", looks)
    play(after, folder=tmp_path, source=source)


def test_a_damaged_journal_costs_only_the_damaged_record(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        for nonce in range(3):
            await stage.submitted(stage.transfer(0 if nonce == 0 else nonce))

    source = play(before, folder=tmp_path)
    path = tmp_path / JOURNAL_FILE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    async def after(stage: Stage) -> None:
        assert stage.pool.view.counts() == (1, 1)

    play(after, folder=tmp_path, source=source)


def test_appended_transactions_are_made_durable_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        synced = asyncio.Event()
        loop = asyncio.get_running_loop()
        take = Journal.take_unsynced

        def noted(journal: Journal) -> int | None:
            descriptor = take(journal)
            if descriptor is not None:
                loop.call_soon(synced.set)
            return descriptor

        monkeypatch.setattr(Journal, "take_unsynced", noted)
        await stage.submitted(stage.transfer(0))
        await synced.wait()

    assert MEMPOOL_JOURNAL_FSYNC_MS_MAX < 1_000
    play(scene, folder=tmp_path)


# ── Blocks ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_several_blocks_on_demand_are_made_one_after_the_other_and_answered_once() -> None:
    async def scene(stage: Stage) -> None:
        first = stage.chain.head.timestamp + 100
        assert await stage.sealed(5, first) is None
        assert [block.number for block in stage.blocks] == [1, 2, 3, 4, 5]
        times = [block.timestamp for block in stage.blocks]
        assert times[0] == first
        assert times == sorted(set(times))

    play(scene)


def test_a_demand_at_a_past_time_is_refused_and_the_next_one_met() -> None:
    async def scene(stage: Stage) -> None:
        error = await stage.sealed(3, stage.chain.head.timestamp)
        assert isinstance(error, SealingRefused)
        assert await stage.sealed() is None
        assert stage.chain.head.number == 1

    play(scene)


def test_a_block_that_cannot_be_built_is_told_and_the_next_is_built() -> None:
    async def scene(stage: Stage) -> None:
        with failing(stage, "build", NO_SPACE):
            error = await stage.sealed(2)
            assert "no space left" in str(error)
        assert "sealing: " in stage.readiness()
        assert await stage.sealed() is None
        assert (stage.chain.head.number, stage.readiness()) == (1, "ready\n")

    play(scene)


@pytest.mark.parametrize("call", ["decide", "set_finalized", "changed_accounts"])
def test_a_block_that_cannot_be_written_is_written_later_and_no_second_one_is_made(call: str) -> None:
    async def scene(stage: Stage) -> None:
        with failing(stage, call, NO_SPACE):
            assert isinstance(await stage.sealed(), SealingRefused)
            assert isinstance(await stage.sealed(), SealingRefused)
        assert stage.faulty.calls.count("build") == 1
        assert await stage.sealed() is None
        assert [block.number for block in stage.blocks] == [1, 2]
        assert stage.chain.head.parent_hash == stage.blocks[0].hash

    play(scene)


def test_an_interval_chain_goes_on_by_itself_when_there_is_space_again() -> None:
    async def scene(stage: Stage) -> None:
        failed = asyncio.Event()
        problem = stage.telemetry.problem

        def noted(part: str, sentence: str) -> None:
            problem(part, sentence)
            failed.set()

        stage.telemetry.problem = noted  # type: ignore[method-assign]  # only listens
        with failing(stage, "decide", NO_SPACE):
            await failed.wait()
            assert stage.blocks == []
        await stage.until(lambda: len(stage.blocks) >= 2)
        assert stage.readiness() == "ready\n"

    play(scene, Sealing.INTERVAL, interval_ms=50)


def test_a_store_that_cannot_be_written_holds_the_blocks_back_until_it_can() -> None:
    async def scene(stage: Stage) -> None:
        stage.faulty.answers["flush_is_due"] = True
        with failing(stage, "flush", NO_SPACE):
            assert await stage.sealed() is None
            await stage.workers.drain()
            assert "flush: the store cannot be written" in stage.readiness()
            assert isinstance(await stage.sealed(), SealingRefused)
            assert stage.chain.head.number == 1
        assert await stage.sealed() is None
        await stage.workers.drain()
        assert (stage.chain.head.number, stage.readiness()) == (2, "ready\n")

    play(scene)


def test_an_instant_chain_under_load_includes_everything_and_seals_no_empty_block() -> None:
    async def scene(stage: Stage) -> None:
        waiting = []
        for start in range(0, 120, 8):
            waiting.append(stage.submitted(*(stage.transfer(nonce) for nonce in range(start, start + 8))))
            waiting.append(stage.submitted(stage.transfer(start // 8, secret=STRANGER)))
            await asyncio.sleep(0)
        for outcomes in waiting:
            assert set(codes(await outcomes)) == {"accepted"}
        await stage.until(lambda: sum(block.transaction_count for block in stage.blocks) == 135)
        await stage.workers.drain()
        assert all(block.transaction_count for block in stage.blocks)

    play(scene, Sealing.INSTANT)


def test_below_a_second_blocks_keep_coming_and_their_timestamps_rise() -> None:
    async def scene(stage: Stage) -> None:
        await stage.until(lambda: len(stage.blocks) >= 4)
        times = [block.timestamp for block in stage.blocks]
        assert times == list(range(times[0], times[0] + len(times)))

    play(scene, Sealing.INTERVAL, interval_ms=10)


# ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_ends_the_block_under_way_and_refuses_the_ones_that_wait() -> None:
    async def scene(stage: Stage) -> None:
        gate = stage.faulty.gates["build"] = Gate()
        under_way, waiting = stage.sealed(2), stage.sealed()
        await gate.reached.wait()
        stop = asyncio.ensure_future(stage.runtime.finish())
        await asyncio.sleep(0)
        assert not stop.done()
        gate.open()
        await stop
        assert stage.chain.head.number == 1
        assert {str(under_way.result()), str(waiting.result())} == {STOPPING}
        assert str(await stage.sealed()) == STOPPING

    play(scene)


def test_after_a_stop_no_timer_makes_a_block() -> None:
    async def scene(stage: Stage) -> None:
        await stage.until(lambda: len(stage.blocks) >= 1)
        await stage.runtime.finish()
        built = stage.faulty.calls.count("build")
        stage.runtime._feed(TimerFired())
        await stage.workers.drain()
        assert stage.faulty.calls.count("build") == built
        assert stage.runtime._timer is None or stage.runtime._timer.cancelled()

    play(scene, Sealing.INTERVAL, interval_ms=10)


def test_a_node_without_a_key_takes_transactions_and_seals_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        assert codes(await stage.submitted(stage.transfer(0))) == ["accepted"]
        assert str(await stage.sealed()) == SEALS_NOTHING
        stage.runtime._feed(TimerFired())
        assert "build" not in stage.faulty.calls

    play(scene, None, folder=tmp_path)
