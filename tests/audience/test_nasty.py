"""Every nasty list ends as it must: its good rows in, its bad ones aside, or refused whole, quickly, for a reason."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailer.errors import AuthorError
from tests.audience.nasty import BAD, GOOD


def test_there_are_many():
    """The collection covers what offices and attackers send."""
    assert len(GOOD) + len(BAD) >= 90


@pytest.mark.parametrize("name", GOOD)
def test_a_list_that_can_be_read_is(name, take_in, register):
    """The right addresses go in, the right number of rows is put aside, and no row is unaccounted for."""
    content, addresses, rejected = GOOD[name]
    account = take_in(content, name=name)
    assert {line.email for line in register.lines()} == addresses
    assert account.rejected == rejected
    assert take_in(content, name=name).new == 0
    for line in register.lines():
        assert line.name.isprintable()


@pytest.mark.parametrize("name", BAD)
def test_a_list_that_cannot_be_read_is_refused_at_once(name, take_in, register):
    """The sentence says what to do, nothing goes in, and it takes less than two seconds of the machine."""
    content, says = BAD[name]
    begun = time.process_time()
    with pytest.raises(AuthorError, match=says):
        take_in(content, name=f"list-{name}")
    assert time.process_time() - begun < 2
    assert not list(register.lines())


def test_a_folder_and_a_pipe_are_refused_without_waiting(take_in, register, tmp_path):
    """Neither is opened; a pipe that nobody writes to doesn't hang."""
    from mailer.audience.importing.files import open_list

    os.mkfifo(tmp_path / "pipe")
    for path, says in ((tmp_path, "folder"), (tmp_path / "pipe", "pipe"), (Path("/dev/zero"), "device")):
        with pytest.raises(AuthorError, match=says):
            open_list(path)


def test_a_list_of_a_gigabyte_costs_no_memory(tmp_path):
    """A line, a cell or a bomb of a gigabyte is refused within 200 MB and two seconds."""
    line, bomb = tmp_path / "line.csv", tmp_path / "bomb.xlsx"
    with line.open("wb") as file:
        file.write(b'correo,cargo\n"')
        file.truncate(1 << 30)
    bomb.write_bytes(BAD["bomb-of-zeros.xlsx"][0])
    code = (
        "import re, sys; from pathlib import Path; from mailer.audience.importing.files import open_list\n"
        "from mailer.errors import AuthorError\n"
        "try: open_list(Path(sys.argv[1]))\n"
        "except AuthorError as problem: print(problem)\n"
        "print(re.search(r'VmHWM:\\s*([0-9]+)', Path('/proc/self/status').read_text())[1])"
    )
    for path in (line, bomb):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=200, check=True
        )
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        said, memory = run.stdout.strip().split("\n")
        assert str(path) in said
        assert int(memory) < 200 * 1024
        assert ended.ru_utime - begun.ru_utime < 2
