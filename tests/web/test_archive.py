"""The archive as a folder of files: it says what the pages say, and every link in it leads somewhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from mailer.cli.commands import run
from mailer.errors import OperatorError
from mailer.web.archive import build
from tests.web.conftest import send_sample
from tests.web.test_reading import PICTURE, shelve

PUBLIC = "http://127.0.0.1:8000"


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the id of one element."""
        given = {name: value or "" for name, value in attrs}
        self.links += [given[name] for name in ("href", "src", "background") if name in given]
        self.ids |= {given[name] for name in ("id", "name") if name in given}


def unresolved(out: Path) -> list[tuple[str, str]]:
    """Every link of the site that leads nowhere in it, and to nobody else."""
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in out.rglob("*.html")}
    broken = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.is_file() or (parts.fragment and target in pages and parts.fragment not in pages[target].ids):
                broken.append((str(file.relative_to(out)), link))
    return broken


def listed(out: Path) -> list[Path]:
    """The files that the sitemap's addresses stand for."""
    root = ET.parse(out / "sitemap.xml").getroot()
    addresses = [loc.text or "" for loc in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    return [out / (address.removeprefix(f"{PUBLIC}/") + "index.html") for address in addresses]


def test_every_link_leads_somewhere(house, tmp_path) -> None:
    """In the site of the sample issue every internal link and fragment resolves to a file that was written."""
    send_sample(house)
    out = tmp_path / "site"
    built = build(house, out)
    assert unresolved(out) == []
    assert sorted(built.files) == sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert all(file.is_file() for file in listed(out))
    assert {out / "index.html", out / "brief/2022-11/index.html"} <= set(listed(out))
    assert list((out / "images").iterdir())


def test_issues_lie_by_year_and_language(house, tmp_path) -> None:
    """The index lists by year; each issue has a page in each of its languages, its pictures beside it."""
    for issue in ("2022-11", "2023-01", "2022-12"):
        shelve(house, issue)
    shelve(house, "2023-02", sent=False)
    built = build(house, tmp_path / "site")
    out = tmp_path / "site"
    assert built.issues == ("2023-01", "2022-12", "2022-11")
    index = (out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h2>(\d+)</h2>|href="brief/([\d-]+)/index.html"', index) == [
        ("2023", ""),
        ("", "2023-01"),
        ("2022", ""),
        ("", "2022-12"),
        ("", "2022-11"),
    ]
    assert 'href="../brief/2022-11/en/index.html"' in (out / "en/index.html").read_text(encoding="utf-8")
    assert 'lang="en"' in (out / "brief/2022-11/en/index.html").read_text(encoding="utf-8")
    assert 'src="../../../images/abc123.png"' in (out / "brief/2022-11/en/index.html").read_text(encoding="utf-8")
    assert (out / "images/abc123.png").read_bytes() == PICTURE.content
    assert not (out / "brief/2023-02").exists()
    assert unresolved(out) == []


async def test_pages_are_those_that_are_served(house, browser, tmp_path) -> None:
    """But for its links, a page of the site is the page that `mailer serve` shows."""
    shelve(house)
    build(house, tmp_path / "site")

    def bare(text: str) -> str:
        return re.sub(r' (href|src|nonce|content)="[^"]*"', "", text)

    pairs = {
        "/?lang=en": "en/index.html",
        "/?lang=es": "index.html",
        "/privacy?lang=es": "privacy/index.html",
        "/brief/2022-11/?lang=es": "brief/2022-11/index.html",
        "/brief/2022-11/en/": "brief/2022-11/en/index.html",
    }
    for path, file in pairs.items():
        assert bare((await browser.get(path)).text) == bare((tmp_path / "site" / file).read_text(encoding="utf-8"))


async def test_address_of_a_translation_is_served(house, browser) -> None:
    """An address in the sitemap is one that `mailer serve` knows too; a language that it isn't written in is not."""
    shelve(house)
    assert (await browser.get("/brief/2022-11/en/")).headers["content-language"] == "en"
    assert (await browser.get("/brief/2022-11/fr/")).status_code == 404
    assert (await browser.get("/brief/2030-01/en/")).status_code == 404


def test_what_needs_a_server_stays_there(house, tmp_path) -> None:
    """Joining leads to the public address, nothing of one reader is in the site, and robots.txt names the sitemap."""
    shelve(house)
    out = tmp_path / "site"
    build(house, out)
    assert f'href="{PUBLIC}/subscribe?lang=es"' in (out / "index.html").read_text(encoding="utf-8")
    assert not [file for file in out.rglob("*.html") if "@@" in file.read_text(encoding="utf-8")]
    assert not [file for file in out.rglob("*.html") if "nonce=" in file.read_text(encoding="utf-8")]
    assert (out / "robots.txt").read_text(encoding="utf-8").endswith(f"Sitemap: {PUBLIC}/sitemap.xml\n")


@pytest.mark.parametrize(("file", "language"), [("feed.xml", "es"), ("en/feed.xml", "en")])
def test_feed_leads_to_the_public_address(house, tmp_path, file: str, language: str) -> None:
    """A feed is read elsewhere: its links are whole, and stand for files of the site in the feed's language."""
    shelve(house)
    out = tmp_path / "site"
    build(house, out)
    root = ET.parse(out / file).getroot()
    links = [link.get("href", "") for link in root.iter("{http://www.w3.org/2005/Atom}link")]
    own = "en/" if language == "en" else ""
    assert links == [f"{PUBLIC}/{own}feed.xml", f"{PUBLIC}/{own}", f"{PUBLIC}/brief/2022-11/{own}"]


def test_empty_archive_says_so(house, tmp_path) -> None:
    """Before the first issue there is an index that says so, and nothing broken."""
    out = tmp_path / "site"
    assert build(house, out).issues == ()
    assert "Todavía" in (out / "index.html").read_text(encoding="utf-8")
    assert unresolved(out) == []


def test_building_again_changes_nothing(house, tmp_path) -> None:
    """A second build writes the same bytes, and leaves alone what somebody else laid there."""
    shelve(house)
    out = tmp_path / "site"
    build(house, out)
    (out / "CNAME").write_text("brief.quito.example", encoding="utf-8")
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    build(house, out)
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before


def test_folder_that_cannot_be_written_is_said(house, tmp_path) -> None:
    """A file in the folder's place is one sentence for the operator."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(OperatorError, match="--out"):
        build(house, tmp_path / "taken")


def test_command(house, tmp_path, capfd) -> None:
    """`mailer archive build` writes the site and tells what it wrote, as JSON too."""
    shelve(house)
    house.close()
    words = ["--config", str(tmp_path / "config.toml"), "archive", "build", "--out", str(tmp_path / "site")]
    assert run([*words, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["issues"], "brief/2022-11/index.html" in told["files"]) == (["2022-11"], True)
    assert run(words) == 0
    assert "index.html" in capfd.readouterr().out
