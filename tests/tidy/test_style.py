"""Tests are sentences, and neither wait for a clock nor pretend to be our own code."""

from tests.tidy.style import mocking_tests, sleeping_tests, wordless_tests
from tests.tidy.tree import SourceFile, expect_none


def _test(text: str) -> SourceFile:
    return SourceFile.sample("tests/rpc/test_a.py", text)


def test_no_test_sleeps(tree: tuple[SourceFile, ...]) -> None:
    expect_none(sleeping_tests(tree))


def test_no_test_mocks(tree: tuple[SourceFile, ...]) -> None:
    expect_none(mocking_tests(tree))


def test_every_test_has_a_sentence_for_a_name(tree: tuple[SourceFile, ...]) -> None:
    expect_none(wordless_tests(tree))


def test_a_sleep_is_found_and_a_bare_yield_to_the_loop_is_not() -> None:
    assert len(sleeping_tests([_test("import time\ntime.sleep(1)\n")])) == 1
    assert len(sleeping_tests([_test("async def f():\n    await asyncio.sleep(0.1)\n")])) == 1
    assert sleeping_tests([_test("async def f():\n    await asyncio.sleep(0)\n")]) == []


def test_tests_with_real_processes_may_wait() -> None:
    assert sleeping_tests([SourceFile.sample("tests/e2e/test_a.py", "time.sleep(1)\n")]) == []


def test_a_mock_is_found() -> None:
    assert len(mocking_tests([_test("from unittest.mock import Mock\n")])) == 1
    assert len(mocking_tests([_test("from unittest import mock\n")])) == 1


def test_a_name_of_two_words_is_no_sentence() -> None:
    assert len(wordless_tests([_test("def test_decode_ok() -> None: ...\n")])) == 1
    assert wordless_tests([_test("def test_a_short_item_decodes() -> None: ...\n")]) == []
