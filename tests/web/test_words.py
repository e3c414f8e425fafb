"""Everything a page says exists in both languages."""

import ast
import re
from pathlib import Path

from mailer.language import words
from mailer.web.speech import choose, spoken

ROOT = Path(__file__).parents[2]
IN_TEMPLATE = re.compile(r"""_\((["'])(.*?)\1""")


def test_every_sentence_is_translated() -> None:
    """Every marked string of the pages and letters has an English translation with the same names in it."""
    said = set()
    for file in [*(ROOT / "templates/pages").iterdir(), *(ROOT / "templates/notices").iterdir()]:
        said |= {text for _, text in IN_TEMPLATE.findall(file.read_text(encoding="utf-8"))}
    for file in (ROOT / "mailer/web").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "marked":
                said.add(ast.literal_eval(node.args[0]))
    assert len(said) > 100
    english = words("en")._messages
    assert {text for text in said if not english.get(text)} == set()
    names = re.compile(r"\{\w+\}")
    assert {text for text in said if names.findall(text) != names.findall(english[text])} == set()


def test_language_negotiation() -> None:
    """Wishes come first, then the header by its weights; nonsense falls back."""
    assert spoken()[0] == "es"
    assert choose("en", accept="es") == "en"
    assert choose(accept="es;q=0.2, en;q=0.9") == "en"
    assert choose(accept="en;q=0, fr") == "es"
    assert choose(accept=";;;q=x,,," + "a," * 10_000) == "es"
    assert choose("../../etc", otherwise="en") == "en"
