"""A config that can't be read is told by file, line, section and key, with what may stand there."""

import re
from pathlib import Path

import pytest

from mailer import config
from mailer.app import App
from mailer.errors import OperatorError
from tests.publication import ROOT

SAMPLE = (ROOT / "config.toml").read_text(encoding="utf-8")


def told(folder: Path, old: str, new: str) -> str:
    """What is said of the sample with one line of it changed."""
    path = folder / "config.toml"
    text, count = re.subn(f"(?m){old}", new, SAMPLE, count=1)
    assert count
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        App(config.load(path, {})).outgoing.transport("outbox")
    return str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '^on_uncertain = "hold"',
            'on_uncertain = "wait"',
            '[delivery] on_uncertain can\'t be "wait"; it is "hold" or',
        ),
        ("^connections = 4", 'connections = "4"', '[delivery] connections can\'t be "4"; it is a whole number from 1'),
        (
            "^connections = 4",
            "conections = 4",
            '[delivery] has an unknown key "conections"; did you mean "connections"?',
        ),
        ("^pdf = true", 'pdf = "yes"', '[content] pdf can\'t be "yes"; it is true or false'),
        ("^reply_to = .*", "", '[publication] lacks the key "reply_to"; add it'),
        (r"^\[delivery\]", "[delivry]", 'the top of the file has an unknown key "delivry"; did you mean "delivery"?'),
    ],
)
def test_a_wrong_line_is_named_with_what_it_may_say(tmp_path: Path, old: str, new: str, said: str):
    """File, line, section and key, and the values or keys that are allowed."""
    sentence = told(tmp_path, old, new)
    place, _, rest = sentence.partition(": ")
    assert rest.startswith(said)
    line = (tmp_path / "config.toml").read_text(encoding="utf-8").splitlines()[int(place.rpartition(":")[2]) - 1]
    assert line.startswith(new or "[publication]")


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[segments.mayors]\ntitle = "Alcaldes"\n', '[segments.mayors] title can\'t be "Alcaldes"; it is a table'),
        (
            '[check.rules]\nspelling = {level = "no", reason = "x"}\n',
            '[check.rules.spelling] level can\'t be "no"; it is',
        ),
        ('[[dkim]]\nselector = "a"\n[[dkim]]\nselectr = "b"\n', '[dkim] (number 2) has an unknown key "selectr"'),
    ],
)
def test_of_many_tables_the_wrong_one_is_named(tmp_path: Path, toml: str, said: str):
    """A segment, a rule or a key among several is called by its name or number."""
    path = tmp_path / "config.toml"
    path.write_text(SAMPLE + toml, encoding="utf-8")
    with pytest.raises(OperatorError, match=re.escape(said)):
        config.load(path, {})


def test_a_transport_says_what_its_keys_are(tmp_path: Path):
    """A table that only its provider can read is refused in the same words."""
    sentence = told(tmp_path, '^folder = "var/outbox"', 'foldr = "var/outbox"')
    assert sentence == 'config.toml: [transports.outbox] has an unknown key "foldr"; did you mean "folder"?'


def test_a_file_in_another_encoding_is_told_by_its_line(tmp_path: Path):
    """What an editor saved as Windows-1252 is one sentence, not a traceback."""
    path = tmp_path / "config.toml"
    path.write_bytes("# uno\n# Dirección\n".encode("cp1252"))
    with pytest.raises(OperatorError, match=r"^config.toml:2: the config is not UTF-8 from here on; save it as UTF-8$"):
        config.load(path, {})
