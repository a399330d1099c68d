"""The process that makes nodes of itself, in programs of their own: a process of tests has threads."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from typing import Any

from coc.cli.in_nursery import NODE_MODULES
from coc.primitives.limits_commands import NURSERY_ANSWER_SECONDS_MAX, NURSERY_MESSAGE_BYTES_MAX

PREAMBLE = """
import json, os, random, signal, sys, threading
from pathlib import Path
from coc.adapters.nursery import Nursery, NurseryFailed
from coc.primitives.limits_commands import NURSERY_MESSAGE_BYTES_MAX

class Child:
    def __init__(self, nursery, *command):
        reading, writing = os.pipe()
        self.nursery = nursery
        self.pid = nursery.start(command, writing, 2)
        os.close(writing)
        self.output = open(reading)

    def end(self):
        return self.output.read(), self.nursery.wait(self.pid)

prepared = []
"""


def ran(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has a nursery."""
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * NURSERY_ANSWER_SECONDS_MAX,
    )


def told(program: str) -> Any:
    """The JSON that a program printed; it must succeed."""
    done = ran(program)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_node_runs_its_command_after_what_was_prepared_and_its_exit_code_is_told() -> None:
    assert told("""
        def program(command):
            print(prepared, command, sys.argv)
            sys.exit(int(command[0]))
        nursery = Nursery(lambda: prepared.append("here"), program)
        children = [Child(nursery, code, "x") for code in ("0", "3")]
        print(json.dumps([child.end() for child in children]))
        nursery.close()
    """) == [
        ["['here'] ['0', 'x'] ['coc', '0', 'x']\n", 0],
        ["['here'] ['3', 'x'] ['coc', '3', 'x']\n", 3],
    ]


def test_each_node_is_a_process_of_its_own_with_its_own_group_title_and_dice() -> None:
    facts = told("""
        def program(command):
            shown = Path("/proc/self/cmdline").read_text().rstrip("\\0").split("\\0")
            name = Path("/proc/self/comm").read_text().strip()
            print(json.dumps([os.getpid(), os.getpgid(0), os.getppid(), shown, name, random.random()]))
        random.seed(1)
        nursery = Nursery(random.random, program)
        children = [Child(nursery, "node", "n"), Child(nursery, "node", "n")]
        said = [json.loads(child.output.read()) for child in children]
        print(json.dumps([nursery.pid, [child.pid for child in children], said]))
        nursery.close()
    """)
    nursery, pids, said = facts
    for pid, (own, group, parent, shown, name, _) in zip(pids, said, strict=True):
        assert own == group == pid
        assert parent == nursery
        assert (shown, name) == (["coc", "node", "n"], "coc node")
    assert said[0][-1] != said[1][-1]


def test_a_node_that_raises_ends_with_its_traceback_and_runs_nothing_of_its_parents() -> None:
    done = ran("""
        def program(command):
            raise ValueError("odd")
        nursery = Nursery(lambda: None, program)
        try:
            print(Child(nursery).end())
        finally:
            print("the parent's own")
            nursery.close()
    """)
    assert done.stdout == "('', 1)\nthe parent's own\n"
    assert "ValueError: odd" in done.stderr


def test_a_killed_node_is_told_by_its_signal_and_another_can_be_made() -> None:
    assert told("""
        nursery = Nursery(lambda: None, lambda command: signal.pause() if command else None)
        first = Child(nursery, "stay")
        os.kill(first.pid, signal.SIGKILL)
        print(json.dumps([first.end(), Child(nursery).end()]))
        nursery.close()
    """) == [["", -signal.SIGKILL], ["", 0]]


def test_nodes_end_with_their_nursery_and_it_says_so_when_it_is_asked() -> None:
    assert told("""
        nursery = Nursery(lambda: None, lambda command: signal.pause())
        child = Child(nursery)
        os.kill(nursery.pid, signal.SIGKILL)
        said = [child.output.read()]
        for ask in (lambda: nursery.wait(child.pid), lambda: nursery.start((), 1, 2)):
            try:
                ask()
            except NurseryFailed as error:
                said.append(error.id)
        nursery.close()
        print(json.dumps(said))
    """) == ["", "COC-NURSERY", "COC-NURSERY"]


def test_nursery_and_nodes_end_with_the_process_that_wanted_them() -> None:
    done = ran("""
        nursery = Nursery(lambda: None, lambda command: (print("up", flush=True), signal.pause()))
        nursery.start((), 1, 2)  # a node that holds this output: its end is the end of all who do
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert done.returncode == -signal.SIGKILL


def test_a_nursery_that_cannot_prepare_is_gone_and_its_reason_on_standard_error() -> None:
    done = ran("""
        nursery = Nursery(lambda: int("no number"), print)
        try:
            Child(nursery)
        except NurseryFailed as error:
            print(error.why)
        nursery.close()
    """)
    assert done.stdout == "it has ended; its last words are on standard error\n"
    assert "no number" in done.stderr


def test_a_process_with_threads_is_not_forked() -> None:
    done = ran("""
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        Nursery(lambda: None, print)
    """)
    assert "before there are threads" in done.stderr


def test_a_command_as_long_as_the_limit_is_no_request() -> None:
    assert told("""
        nursery = Nursery(lambda: None, lambda command: print(len(command[0])))
        longest = NURSERY_MESSAGE_BYTES_MAX - len(json.dumps({"command": [""]}))
        said = [Child(nursery, "x" * longest).end()]
        try:
            Child(nursery, "x" * (longest + 1))
        except NurseryFailed as error:
            said.append(error.why)
        nursery.close()
        print(json.dumps(said))
    """) == [
        [f"{NURSERY_MESSAGE_BYTES_MAX - len(json.dumps({'command': ['']}))}\n", 0],
        "the command is too long",
    ]


def test_all_that_a_node_imports_starts_no_thread() -> None:
    names = json.dumps(NODE_MODULES)
    assert (
        told(f"""
        import importlib
        for name in {names}:
            importlib.import_module(name)
        print(len(list(Path("/proc/self/task").iterdir())))
    """)
        == 1
    )
