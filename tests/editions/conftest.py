"""The November issue, read and compiled once for all tests of this stage."""

import shutil
from functools import partial

import pytest

from mailer.editions.compose import compose
from mailer.editions.edition import Compiled, Edition
from mailer.editions.pictures import mail_safe
from mailer.issues import Issue, read
from tests.editions.november import IMPRINT, ROOT, SEGMENTS, TEMPLATES
from tests.pictures import kept_pictures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def picture():
    """Pictures made fit for mail, each once a session."""
    return partial(mail_safe, cache=kept_pictures())


@pytest.fixture(scope="session")
def november() -> Issue:
    """The issue of November 2022, as the office wrote it."""
    return read(ROOT / "issues" / "2022-11")


@pytest.fixture(scope="session")
def compiled(november, picture) -> Compiled:
    """Its editions."""
    return compose([november], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture)


@pytest.fixture(scope="session")
def edition(compiled) -> Edition:
    """The edition for diplomats."""
    return compiled.edition("diplomats", "es")


@pytest.fixture(scope="session")
def showcase(picture) -> Edition:
    """The issue that shows every component."""
    issue = read(ROOT / "templates" / "showcase" / "2026-12-componentes")
    return compose([issue], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture).editions[0]


@pytest.fixture(scope="module")  # no longer: its driver keeps a loop running, and asyncio's tests want one of their own
def browser():
    """A chromium that reaches no network."""
    if not CHROMIUM:
        pytest.skip("chromium is missing: install it (Debian: apt install chromium) to compare how the edition looks")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*arguments, "--font-render-hinting=none"])
        yield browser
        browser.close()


@pytest.fixture
def compose_text(tmp_path, picture):
    """Compile an issue given as the Markdown below its front matter."""

    def compile_(body: str, front: str = "", segments=SEGMENTS) -> Compiled:
        folder = tmp_path / "issues" / "2026-12"
        folder.mkdir(parents=True, exist_ok=True)
        head = "title: BRIEF\nmonth: 2026-12\nnumber: 12\n"
        if "subject:" not in front:
            head += "subject: Asunto\n"
        (folder / "issue.md").write_text(f"---\n{head}preheader: Antes\n{front}\n---\n\n{body}\n", encoding="utf-8")
        return compose([read(folder)], segments, imprint=IMPRINT, templates=TEMPLATES, picture=picture)

    return compile_
