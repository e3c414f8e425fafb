"""Every pair of colours that the theme sets on one another can be read."""

import pytest

from mailer.editions.colour import AA, contrast
from mailer.editions.sdgs import goals
from mailer.editions.theme import Theme
from mailer.errors import AuthorError
from tests.editions.november import TEMPLATES


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_readable(mode):
    """Text and ground keep WCAG AA's contrast of 4.5:1, in light and in dark."""
    palette = getattr(Theme.load(TEMPLATES / "theme.toml"), mode)
    poor = [(text, ground, round(contrast(text, ground), 2)) for text, ground in palette.pairs()]
    assert [pair for pair in poor if pair[2] < AA] == []


@pytest.mark.parametrize("number", range(1, 18))
def test_tiles_of_the_goals_are_readable(number):
    """Each of the United Nations' colours carries the text that reads best on it, in both languages."""
    goal = goals()[number]
    assert contrast(goal.text, goal.colour) >= AA
    assert goal.name("es").isupper()
    assert goal.name("en").isupper()


def test_wrong_theme_is_told(tmp_path):
    """A token that is missing is named."""
    (tmp_path / "theme.toml").write_text("[shape]\nwidth = 640\n", encoding="utf-8")
    with pytest.raises(AuthorError, match="gutter"):
        Theme.load(tmp_path / "theme.toml")
