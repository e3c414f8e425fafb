"""Whatever an author types, the check answers."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.editions.check import check
from mailer.editions.checks.catalogue import rules
from mailer.editions.checks.circumstances import Circumstances
from mailer.errors import AuthorError
from mailer.issues import read

FRONT = "---\ntitle: B\nmonth: 2026-12\nnumber: 12\nlanguage: {language}\nsubject: Asunto\npreheader: Entrada\n---\n"
SCRAPS = [
    "### Título\n",
    "## Sección\n{layout=cards}\n",
    "Quito, Quiteña y QUITAÑO. ",
    "\n\n",
    "[aquí](#)",
    "[x](http://[::1",
    "[](a)",
    "[a](https://ñ.example/é?q=1)",
    "[a](https://user@[fe80::1%25eth0]:99999/)",
    "el 99 de mayo de 9999 ",
    '¿?¡!«»“”()"',
    "XIX IIII VX ",
    "![](x)",
    "**",
    "> - 1. ",
    "\u202e\u200b\ufeff",
    "😀 ",
    "@@greeting@@ @@x@@",
    "<b>&amp;</b>",
    "TODO: […] ",
    "ÁÉÍÓÚ CION ",
    "a" * 300,
    "_",
    "`",
    "\\",
    "{",
    "}",
    "el el ",
    "May 99th ",
]


@given(
    st.lists(st.one_of(st.sampled_from(SCRAPS), st.text(max_size=8)), max_size=14), st.sampled_from(["es", "en", "pt"])
)
@settings(max_examples=120, deadline=None)
def test_any_text_that_can_be_read_is_judged(scraps, language):
    """No text makes a rule fail; every finding has a code of the catalogue, a line of the file, and a sentence."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "issues" / "2026-12"
        folder.mkdir(parents=True)
        text = FRONT.format(language=language) + "".join(scraps)
        (folder / "issue.md").write_text(text, encoding="utf-8", newline="")
        try:
            issue = read(folder)
        except AuthorError:
            return
        report = check([issue], None, Circumstances(segments=["gads"], dictionaries=Path(name)))
    lines = len(text.splitlines())
    for finding in (*report.errors, *report.warnings):
        assert finding.code in rules()
        assert finding.message
        file, _, line = finding.where.rpartition(":")
        assert finding.where.endswith("issue.md") or (file.endswith("issue.md") and 1 <= int(line) <= lines)
