"""Every pair of colours that the theme sets on one another can be read."""

import msgspec
import pytest

from mailer.editions.colour import AA, contrast, forced_dark
from mailer.editions.compose import compose
from mailer.editions.sdgs import goals
from mailer.editions.theme import Theme
from mailer.errors import AuthorError
from tests.editions.november import IMPRINT, SEGMENTS, TEMPLATES

THEMES = [TEMPLATES / "theme.toml", *sorted((TEMPLATES.parent / "themes").glob("*.toml"))]


def _poor(pairs):
    return [(text, ground, round(contrast(text, ground), 2)) for text, ground in pairs if contrast(text, ground) < AA]


@pytest.mark.parametrize("file", THEMES, ids=lambda path: path.stem)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_readable(file, mode):
    """In every theme, text and ground keep WCAG AA's contrast of 4.5:1, in light and in dark."""
    assert _poor(getattr(Theme.load(file), mode).pairs()) == []


@pytest.mark.parametrize("file", THEMES, ids=lambda path: path.stem)
def test_text_is_readable_where_dark_is_forced(file):
    """A mail program that turns the light colours round by itself leaves every pair readable."""
    pairs = Theme.load(file).light.pairs()
    forced = [(forced_dark(text, ground=False), forced_dark(ground, ground=True)) for text, ground in pairs]
    assert _poor(forced) == []


def test_every_token_is_told_apart():
    """A second theme has a value of its own for nearly everything: no colour is left in the templates."""
    first, second = (msgspec.to_builtins(Theme.load(file)) for file in (THEMES[0], THEMES[1]))
    for table in ("shape", "space", "type", "light"):
        same = [key for key in first[table] if first[table][key] == second[table][key]]
        assert set(same) <= {"card", "stop", "on_action", "on_field", "label"}


def test_another_city_changes_one_file(november, picture):
    """With another theme, no colour and no typeface of the first is left, and the mark stands in the masthead."""
    first, second = (Theme.load(file) for file in THEMES[:2])
    compiled = compose([november], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture, theme=THEMES[1])
    html = compiled.editions[0].html
    kept = set(msgspec.structs.astuple(second.light) + msgspec.structs.astuple(second.dark))
    for colour in {*msgspec.structs.astuple(first.light), *msgspec.structs.astuple(first.dark)} - kept:
        assert colour not in html
    assert "Georgia" not in html
    assert 'alt="Municipio de Quito" width="132"' in html


@pytest.mark.parametrize("number", range(1, 18))
def test_tiles_of_the_goals_are_readable(number):
    """Each of the United Nations' colours carries the text that reads best on it, in both languages."""
    goal = goals()[number]
    assert contrast(goal.text, goal.colour) >= AA
    assert goal.name("es").isupper()
    assert goal.name("en").isupper()


@pytest.mark.parametrize(
    ("content", "told"), [(b"[shape]\nwidth = 640\n", "gutter"), ("# diseño".encode("cp1252"), "save it as UTF-8")]
)
def test_wrong_theme_is_told(tmp_path, content, told):
    """A token that is missing is named, and a file in another encoding said to be one."""
    (tmp_path / "theme.toml").write_bytes(content)
    with pytest.raises(AuthorError, match=told):
        Theme.load(tmp_path / "theme.toml")
