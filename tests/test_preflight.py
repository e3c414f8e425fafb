"""An issue judged in a publication's circumstances: its register, its waivers, its calendar."""

import shutil
from datetime import date
from pathlib import Path

import msgspec
import pytest

from mailer import config
from mailer.app import App
from mailer.audience.importing.importer import ListFile, import_list
from mailer.audience.register import ImportOrder
from mailer.editions.checks.hunspell import SYSTEM
from mailer.errors import OperatorError
from mailer.preflight import judge, readers_of
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parents[1]
FAULTS = ['"VX"', '"QUITAÑO"', '"Coperación"', '"JAPON"', '"CIUDADANIA"', 'link "#"']
FRONT = (
    "---\ntitle: Boletín\nmonth: {month}\nnumber: {number}\nsubject: Un asunto que tiene el largo que debe {month}\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n"
)
TEXT = "### Título\n\nUn texto de este mes, con las palabras que hacen falta para que nadie lo tome por otro texto.\n"


@pytest.fixture
def publish(tmp_path):
    """Compose a publication of the sample's config and templates; words may be added to the config."""
    apps = []

    def publication(added="", issues=()):
        shutil.copytree(ROOT / "templates" / "brief", tmp_path / "templates" / "brief", dirs_exist_ok=True)
        path = tmp_path / "config.toml"
        path.write_text((ROOT / "config.toml").read_text(encoding="utf-8") + added, encoding="utf-8")
        for name, number, body in issues:
            folder = tmp_path / "issues" / name
            folder.mkdir(parents=True, exist_ok=True)
            text = FRONT.format(month=name[:7], number=number) + body
            (folder / "issue.md").write_text(text, encoding="utf-8")
        apps.append(App.load(path))
        return apps[-1]

    yield publication
    for app in apps:
        app.close()


def codes(findings):
    return [finding.code for finding in findings if finding.code != "no-dictionary"]


@pytest.mark.skipif(not (SYSTEM / "es_ES.dic").exists(), reason="hunspell-es is not installed")
def test_november_is_judged_with_its_readers(publish, tmp_path):
    """Every fault of the source is found, nothing blocks, at most five other things are said."""
    app = publish()
    shutil.copytree(ROOT / "issues", tmp_path / "issues")
    keep_pictures_of(tmp_path)
    for name in app.config.segments:
        listed = ListFile(path=ROOT / "subscribers" / f"{name}.csv")
        import_list(listed, ImportOrder(segment=name, source="list", who="test"), app.register)
    assert len({reader.segment for reader in readers_of(app)}) == 3
    report = judge(app, "2022-11").report
    assert report.errors == ()
    for fault in FAULTS:
        assert any(fault in finding.message for finding in report.warnings), fault
    others = [f for f in report.warnings if not any(fault in f.message for fault in FAULTS)]
    assert len(others) <= 5, others


def test_no_register_is_made_by_looking(publish, tmp_path):
    """A check before the first import leaves no database behind."""
    app = publish(issues=[("2026-12", 12, TEXT)])
    assert judge(app, "2026-12").report.errors == ()
    assert not (tmp_path / "var" / "mailer.db").exists()


def test_a_rule_turned_off_is_accounted_for(publish):
    """The waiver's reason stands in the report; the finding doesn't."""
    waiver = '\n[check.rules]\n"unsubscribe-header" = { level = "off", reason = "a rehearsal" }\n'
    report = judge(publish(waiver, [("2026-12", 12, TEXT)]), "2026-12").report
    assert codes(report.warnings) == []
    assert [(each.code, each.count, each.reason) for each in report.waived] == [
        ("unsubscribe-header", 1, "a rehearsal")
    ]


def test_an_error_can_be_made_a_warning(publish):
    """Then it is told and doesn't block."""
    waiver = '\n[check.rules]\n"placeholder" = { level = "warning", reason = "XXX is a name" }\n'
    report = judge(publish(waiver, [("2026-12", 12, TEXT + "\nXXX\n")]), "2026-12").report
    assert report.errors == ()
    assert "placeholder" in codes(report.warnings)


@pytest.mark.parametrize(
    "rules",
    [
        '"no-such" = { level = "off", reason = "x" }',
        '"space" = { level = "off" }',
        '"space" = { level = "quiet", reason = "x" }',
    ],
)
def test_a_waiver_that_cannot_be_followed_is_the_operator_s_error(publish, rules):
    """An unknown rule, no reason, an unknown level."""
    with pytest.raises(OperatorError):
        judge(publish(f"\n[check.rules]\n{rules}\n", [("2026-12", 12, TEXT)]), "2026-12")


def test_the_last_issue_and_the_silence_are_minded(publish):
    """What November said can't go out again in December, and nothing goes out on a day of silence."""
    silence = '\n[check]\nsilences = [{ from = 2026-12-29, to = 2026-12-31, reason = "consulta popular" }]\n'
    app = publish(silence, [("2026-11", 11, TEXT), ("2026-12", 12, TEXT)])
    assert sorted(codes(judge(app, "2026-12").report.errors)) == ["electoral-silence", "repeated-issue"]
    chosen = judge(app, "2026-12", send_on=date(2026, 12, 22)).report
    assert codes(chosen.errors) == ["repeated-issue"]


def test_bounces_of_a_stranger_block(publish):
    """The config's own domains are compared."""
    app = publish(issues=[("2026-12", 12, TEXT)])
    text = app.loaded.path.read_text(encoding="utf-8").replace("rebotes.quito.example", "bounces.elsewhere.example")
    app.loaded.path.write_text(text, encoding="utf-8")
    assert codes(judge(App(config.load(app.loaded.path)), "2026-12").report.errors) == ["sender-alignment"]


def test_an_issue_is_weighed_as_it_is_sent(publish):
    """An issue that Gmail would cut off once its links are counted is too heavy; with links left alone it isn't."""
    links = " ".join(f"[a{number}](https://a.example/{number})" for number in range(600))
    app = publish(issues=[("2026-12", 1, f"### Título\n\n{links}\n")])
    assert "html-weight" in codes(judge(app, "2026-12").report.errors)
    app.config = msgspec.structs.replace(app.config, feedback=config.Feedback(tracking="none"))
    assert "html-weight" not in codes(judge(app, "2026-12").report.errors)
