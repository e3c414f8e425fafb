"""
Lists as a real program saved them, read as their writer sees them.

The files of `saved/` were written by LibreOffice 7.4. *directorio* has a hidden first sheet, an empty second, a merged
title, headings on two rows, an institution merged over two people, rich text, a link to an address behind a word,
formulas with values, telephone numbers, days, a row hidden and one filtered out, and a last line with a sum; *enlaces*
has links; the others are one small list in every form that the program writes. Passwords are `secreto`.
"""

import shutil
from pathlib import Path

import pytest

from mailer.audience.importing.importer import ListFile, import_list
from mailer.audience.register import ImportOrder
from mailer.errors import AuthorError

SAVED = Path(__file__).parent / "saved"
DIRECTORY = {
    "alcaldia@canar",
    "alcaldia@nabon",
    "prensa@nabon",
    "alcaldia@azogues",
    "alcaldia@biblian",
    "alcaldia@sigsig",
}
LINK, FORMULA = "alcaldia@loja", "alcaldia@cuenca"
LIST = ("cp1252.csv", "cp850.csv", "mac.csv", "unicode-text.txt", "utf8-bom.csv", "utf8.tsv")


@pytest.fixture
def take_saved(register, tmp_path):
    """Import one of the saved files, beside which its rejects may lie."""

    def run(name: str):
        path = Path(shutil.copy(SAVED / name, tmp_path))
        return import_list(ListFile(path=path, language="es"), ImportOrder("gads", name, who="Redacción"), register)

    return run


def addresses(register):
    return {line.email.removesuffix(".example") for line in register.lines()}


@pytest.mark.parametrize(
    ("name", "others", "hidden", "rejected"),
    [
        ("directorio.xlsx", {LINK, FORMULA}, 2, [14]),
        ("directorio.ods", {LINK, FORMULA}, 2, [14]),
        ("directorio.xls", set(), 0, [8, 9, 14]),  # the program saves 0 as the value of a formula that gives a text
    ],
)
def test_a_directory_is_read_as_it_looks(name, others, *, hidden, rejected, take_saved, register):
    """The visible sheet goes in, hidden rows too, and the account says how many these are where the file tells it."""
    account = take_saved(name)
    assert addresses(register) == DIRECTORY | others
    assert [each["line"] for each in account.rejects] == rejected
    assert account.hidden_rows == hidden
    assert account.ignored_columns == ("Teléfono", "Desde", "Avance")
    person = register.find("alcaldia@nabon.example")
    assert (person.name, person.institution) == ("José Ñáñez", "GAD Municipal de Nabón")
    assert register.find("prensa@nabon.example").institution == "GAD Municipal de Nabón"


def test_an_address_behind_a_word_is_taken_and_told(take_saved, register):
    """A cell that shows a word and leads to an address is that address; one that shows an address keeps to it."""
    account = take_saved("enlaces.xlsx")
    assert addresses(register) == {"ana@nabon", "eva@canar"}
    assert account.notes == [{"line": 2, "note": "«Escribir <ana@nabon.example>» se leyó como ana@nabon.example"}]
    assert register.find("eva@canar.example").name == "Eva"


@pytest.mark.parametrize("name", LIST)
def test_one_list_in_every_form_is_one_list(name, take_saved, register):
    """Encodings, separators, quotation marks and a line end in a cell come out as they went in."""
    assert (account := take_saved(name)).new == 3
    assert account.rejected == 0
    bolivar, nabon = register.find("prefectura@bolivar.example"), register.find("alcaldia@nabon.example")
    assert (bolivar.institution, bolivar.position) == ("Prefectura de Bolívar", 'El "prefecto"')
    assert nabon.institution.startswith("GAD Nabón; Azuay, ")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("locked.xlsx", "password"),
        ("locked.ods", "password"),
        ("locked.xls", "password"),
        ("lista.html", "a web page"),
        ("lista.fods", "an XML file"),
        ("lista.xml", "an XML file"),
        ("lista.dif", "another program's table"),
        ("lista.slk", "another program's table"),
    ],
)
def test_what_can_not_be_read_says_what_to_do(name, says, take_saved, register):
    """A file with a password or in a form that isn't read is refused whole, and the sentence says what to save."""
    with pytest.raises(AuthorError, match=f"{says}.* (save|open) it"):
        take_saved(name)
    assert not addresses(register)
