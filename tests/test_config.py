"""A config that is wrong is refused with a sentence that its writer can act on."""

from pathlib import Path

import pytest

from mailer.app import App
from mailer.errors import OperatorError

SAMPLE = (Path(__file__).parents[1] / "config.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('[check.rules.spelling]\nlevel = "of"\nreason = "x"', '[check.rules] level: "of" .* write "off" or "warning"'),
        ('[delivery.domains."a.example"]\nconnections = 0', "[delivery.domains] connections: .* of 1 or more"),
        ('[segments.more]\ntitle = "Más"', "[segments] title: expected a table of keys, got a text in quotation marks"),
        ('[[check.silences]]\nfrom = "1 de mayo"\nto = 2022-05-02\nreason = "x"', "from: that is no date; .*05-24"),
        ('[transports.way]\nkind = "smtp"\nhost = "a.example"\nsecurity = "ssl"', '"none" or "starttls" or "tls"'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_may_stand_there(tmp_path, table, says):
    """The sentence names the section and the key, and says which values fit or of what sort they are."""
    (tmp_path / "config.toml").write_text(f"{SAMPLE}\n{table}\n", encoding="utf-8")
    with pytest.raises(OperatorError, match=says.replace("[", r"\[").replace("]", r"\]")):
        App.load(tmp_path / "config.toml").outgoing.transport("way")
