"""The house keeps its own rules."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(file for file in (ROOT / "mailer").rglob("*.py") if "versions" not in file.parts)
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
VAGUE = {"utils", "helpers", "common", "manager", "service", "base", "misc"}
HEAVY = {
    "sqlalchemy",
    "jinja2",
    "premailer",
    "mjml",
    "httpx",
    "aiosmtplib",
    "PIL",
    "babel",
    "mistune",
    "apscheduler",
    "asyncio",
}


def functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def tracked() -> list[Path]:
    """The files of the project: what git knows, or all there are in an unpacked copy."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_modules_stay_readable() -> None:
    """No module grows past 400 lines."""
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_functions_stay_readable() -> None:
    """No function grows past 40 lines, its docstring and signature aside."""
    long = {}
    for file in SOURCES:
        for function in functions(file):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            if body and function.end_lineno - body[0].lineno + 1 > 40:
                long[f"{file.relative_to(ROOT)}:{function.name}"] = function.end_lineno - body[0].lineno + 1
    assert long == {}


def test_no_vague_room_names() -> None:
    """No module or package hides behind a name that says nothing, nor shadows the standard library at the top."""
    parts = {part for file in SOURCES for part in file.relative_to(ROOT).with_suffix("").parts}
    assert parts & VAGUE == set()


def test_time_chance_and_the_environment_have_their_rooms() -> None:
    """What differs from run to run comes from `clock`, `tokens` and `config`, so that tests can set it."""
    outside = re.compile(
        r"datetime\.(?:now|utcnow|today)\(|date\.today\(|(?<!date)time\.time\(|os\.(?:environ|getenv)|import environ"
        r"|^\s*(?:import|from) (?:random|secrets|uuid)\b",
        re.MULTILINE,
    )
    rooms = {"clock.py", "tokens.py", "config.py"}
    found = [
        f"{file.relative_to(ROOT)}: {used[0].strip()}"
        for file in SOURCES
        if file.name not in rooms
        for used in outside.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_test_says_what_it_shows() -> None:
    """Each test states the behaviour in a docstring."""
    silent = [
        f"{file.relative_to(ROOT)}:{function.name}"
        for file in TESTS
        for function in functions(file)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert silent == []


def test_help_loads_nothing_heavy() -> None:
    """`mailer --help` answers at once because it imports none of the heavy parts."""
    code = "import sys, mailer.cli.commands as c; c.run(['--help']); print('\\n'.join(sys.modules), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200)
    assert "Usage" in run.stdout
    assert {name.split(".")[0] for name in run.stderr.split()} & HEAVY == set()


def test_no_word_of_the_help_is_lost() -> None:
    """No help text names a table as [table]: on a terminal brackets are markup, and what they hold isn't shown."""
    told = re.compile(r'help="[^"]*\[[a-z]')
    found = [str(file.relative_to(ROOT)) for file in SOURCES if told.search(file.read_text(encoding="utf-8"))]
    assert found == []


def test_the_docs_name_files_that_exist() -> None:
    """Whatever file of the house a document names can be opened there."""
    named = re.compile(r"`((?:mailer|tests|benchmarks|docs|templates|subscribers)/[\w./-]+)`")
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("*/*.md")]
    lost = {
        (str(document.relative_to(ROOT)), name)
        for document in documents
        for name in named.findall(document.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }
    assert lost == set()


def test_the_tree_speaks_of_itself_alone() -> None:
    """No path of one machine stands in a tracked file, and the locks name no index."""
    machine = re.compile(rb"(?:^|[^A-Za-z0-9_.])/(?:wo" + rb"rk|root|home)/[a-z]")
    found = [str(file.relative_to(ROOT)) for file in tracked() if machine.search(file.read_bytes())]
    assert found == []
    for lock in ROOT.glob("requirements*.txt"):
        assert "index-url" not in lock.read_text(encoding="utf-8")


def test_sample_addresses_are_reserved() -> None:
    """Every address in lists, issues, config and docs ends in a name that can't exist (RFC 2606)."""
    address = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
    kinds = {".csv", ".md", ".toml", ".mjml", ".html", ".txt"}
    wrong = {
        (str(file.relative_to(ROOT)), found)
        for file in tracked()
        if file.suffix in kinds and not file.name.startswith("requirements")
        for found in address.findall(file.read_text(encoding="utf-8", errors="replace"))
        if not found.rstrip(".").endswith((".example", "example.com", "example.org", ".invalid", ".test"))
    }
    assert wrong == set()
