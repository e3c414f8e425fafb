"""Templates are confined, and their mistakes are told with file and line."""

import shutil

import pytest

from mailer.editions.compose import compose
from mailer.editions.templates import _environment
from mailer.errors import AuthorError
from tests.editions.november import IMPRINT, SEGMENTS, TEMPLATES


@pytest.fixture
def broken(tmp_path, november, picture):
    """Compile the November issue after a template has been replaced."""

    def compile_(file: str, content: str) -> AuthorError:
        folder = tmp_path / "templates" / "brief"
        shutil.copytree(TEMPLATES, folder)
        (folder / file).write_text(content, encoding="utf-8")
        with pytest.raises(AuthorError) as caught:
            compose([november], SEGMENTS, imprint=IMPRINT, templates=folder, picture=picture)
        return caught.value

    return compile_


FOOTER = "components/footer.mjml"
WHERE = f"templates/brief/{FOOTER}"


def test_unknown_value_is_told(broken):
    """A misspelt value is an error, not a blank."""
    problem = broken(
        FOOTER, "<mj-section>\n<mj-column>\n<mj-text>{{ imprint.nome }}</mj-text></mj-column></mj-section>"
    )
    assert problem.where == f"{WHERE}:3"


def test_wrong_syntax_is_told(broken):
    """A template that Jinja can't read is named with its line."""
    assert broken(FOOTER, "\n{% if %}").where == f"{WHERE}:2"


def test_unknown_element_is_told(broken):
    """The linter names the template that wrote the element, however deep it is included."""
    assert broken(FOOTER, "\n\n<mj-sectoin></mj-sectoin>").where == f"{WHERE}:3"


def test_footer_without_a_way_out_is_refused(broken):
    """An edition that can't be unsubscribed from is no edition."""
    assert "@@" in broken(FOOTER, "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>").message


@pytest.mark.parametrize("reach", ["{{ ''.__class__.__mro__ }}", "{% include '../../config.toml' %}"])
def test_templates_can_not_reach_out(broken, reach):
    """The sandbox holds: no Python internals, no files outside the folder."""
    assert broken(FOOTER, reach).where.startswith(WHERE)


def test_kept_templates_give_the_same_bytes(tmp_path, november, picture, compiled):
    """Templates are kept compiled; one that was kept damaged is compiled anew, and an edition never differs for it."""
    templates, cache = tmp_path / "templates" / "brief", tmp_path / "cache"
    for copy in range(3):
        shutil.copytree(TEMPLATES, templates, dirs_exist_ok=True)
        _environment.cache_clear()  # a process of its own
        again = compose([november], SEGMENTS, imprint=IMPRINT, templates=templates, picture=picture, cache=cache)
        assert again.content_hash == compiled.content_hash
        kept = sorted(cache.iterdir())
        assert len(kept) > 10
        if not copy:
            intact = {each: each.read_bytes() for each in kept}
            for each in kept[::2]:
                each.write_bytes(intact[each][:-9] + b"\0" * 9)
    assert {each: each.read_bytes() for each in kept} == intact
