"""Every nasty list ends as it must: its good rows in, its bad ones aside, or refused whole, quickly, for a reason."""

import os
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mailer.audience.importing.ooxml import Book
from mailer.audience.importing.workbook import _held
from mailer.errors import AuthorError
from tests.audience import hostile, nasty

GOOD, BAD = nasty.GOOD | hostile.READ, nasty.BAD | hostile.REFUSED


def test_there_are_many():
    """The collection covers what offices and attackers send."""
    assert len(GOOD) + len(BAD) >= 130


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


@pytest.mark.parametrize("name", [name for name in GOOD if name.endswith(".xlsx") and GOOD[name][0][:2] == b"PK"])
def test_a_large_workbook_reads_as_a_small_one_does(name, tmp_path):
    """What is read as it streams is, row by row, what calamine reads of the whole; far cells it alone can bear."""
    path = tmp_path / name
    path.write_bytes(GOOD[name][0])
    book = Book(zipfile.ZipFile(path))
    streamed = [(number, _bare(cells)) for name in book.names for number, cells in book.rows(name)]
    assert streamed
    if name != "far-row.xlsx":
        names, rows_of, _ = _held(str(path), tells=False)
        assert streamed == [(number, _bare(cells)) for name in names for number, cells in rows_of(name)]


def _bare(cells: list[str]) -> list[str]:
    """Without the empty cells on the right."""
    return "\t".join(cells).rstrip("\t").split("\t")


def test_a_list_without_headings_loses_nobody(take_in, register):
    """Where a person says which column holds the addresses, the first row is a row like the others."""
    account = take_in(f"Ana,{nasty.A},x\nEva,{nasty.B},y\n", mapping={"email": "2", "name": "1"})
    assert (account.new, register.find(nasty.A).name) == (2, "Ana")


def test_what_was_cleaned_is_told_in_the_readers_language(take_in, tmp_path):
    """Reasons, notes and the headings of the rejects file are Spanish for a Spanish publication."""
    account = take_in("correo,nombre\nmailto:a@a.example.,x\nb@gm\u0430il.com,y\nno,z\n", language="es")
    told = [str(note["note"]) for note in account.notes]
    assert any("se leyó como a@a.example" in note for note in told)
    assert any("dos alfabetos" in note for note in told)
    assert account.rejects[0]["reason"] == "«no»: a la dirección le falta la @"
    rejects = Path(account.rejects_file)
    assert rejects.read_text("utf-8-sig").splitlines()[0] == "correo,nombre,línea,motivo"
    again = take_in(rejects.read_bytes(), name="list.rejects.csv", language="es")
    assert again.ignored_columns == ()


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
