"""The web edition: what went out, for anybody, without what was one reader's own."""

import json
import re
from xml.etree import ElementTree as ET

import msgspec
import pytest
from sqlalchemy import event

from mailer import chromium
from mailer.editions.edition import Compiled, Enclosure, Image
from mailer.storage.campaign_tables import campaigns
from mailer.storage.editions import Shelf
from mailer.testing.values import an_edition

DOCUMENT = Enclosure("abcdef012345-guia.pdf", "application/pdf", b"%PDF-1.4")
PICTURE = Image(name="abc123.png", media_type="image/png", width=2, height=2, content=b"\x89PNG picture")
HTML = """<!DOCTYPE html>
<html lang="es"><head><title>Brief</title></head><body>
<p>@@greeting@@</p><p>@@institution@@</p><h2 id="asamblea">Asamblea {segment}</h2>
<img src="http://127.0.0.1:8000/images/abc123.png" alt="">
<p>Recibe este mensaje porque consta en nuestra lista «{title}».</p>
<a class="x" href="@@preferences_url@@" style="y">Cambiar mis preferencias</a>
<a href="@@unsubscribe_url@@">Darme de baja</a>
<a href="@@web_url@@">Ver en el navegador</a></body></html>"""


TITLES = {"diplomats": "Cuerpo diplomático", "gads": "Gobiernos autónomos descentralizados", "": ""}


def made(issue: str, segment: str, language: str):
    """An edition that says which it is."""
    html = HTML.replace("{segment}", segment or "para todos").replace("{title}", TITLES[segment])
    return an_edition(
        issue=issue,
        segment=segment,
        language=language,
        subject=f"Número {issue} <{language}>",
        html=html.replace('lang="es"', f'lang="{language}"'),
        images=(PICTURE,),
        files=(DOCUMENT,),
        hash=f"{issue}-{segment}-{language}",
    )


def shelve(house, issue: str = "2022-11", *, sent: bool = True, apart: bool = False, version: str = "") -> Compiled:
    """Put an issue on the shelf, and send it if so told; `apart` says that some of it is for one segment alone."""
    editions = tuple(made(issue, segment, language) for segment in ("diplomats", "gads") for language in ("es", "en"))
    public = tuple(made(issue, "", language) for language in ("es", "en")) if apart else ()
    if version:
        editions = tuple(
            msgspec.structs.replace(each, html=each.html + version, hash=each.hash + version) for each in editions
        )
    compiled = Compiled(issue=issue, content_hash=f"hash-{issue}{version}", editions=editions, public=public)
    now = house.clock.now()
    Shelf(house.database).put(compiled, now=now)
    row = {"issue": issue, "content_hash": compiled.content_hash, "segments": "[]", "created_at": now}
    with house.database.write() as connection:
        connection.execute(
            campaigns.insert().values(**row, state="finished" if sent else "scheduled", frozen_at=now if sent else None)
        )
    return compiled


async def test_edition_is_anonymous(house, browser) -> None:
    """No slot is left, nobody is greeted by name, and the reader's own links are replaced by public ones."""
    shelve(house)
    page = await browser.get("/brief/2022-11/?lang=es")
    assert page.status_code == 200
    assert "@@" not in page.text
    assert "Darme de baja" not in page.text
    assert "consta en nuestra lista" not in page.text
    assert '<a class="x" href="/subscribe?lang=es" style="y">Suscribirse</a>' in page.text
    assert 'src="/images/abc123.png"' in page.text
    assert 'id="asamblea"' in page.text


async def test_what_is_for_some_alone_is_not_for_everybody(house, browser) -> None:
    """Anybody reads what all segments got; an edition for one is found by its address and by no search engine."""
    shelve(house, apart=True)
    public, gads = await browser.get("/brief/2022-11/"), await browser.get("/brief/2022-11/gads/es")
    assert "Asamblea para todos" in public.text
    assert public.headers["x-robots-tag"] == "all"
    assert "Asamblea gads" in gads.text
    assert gads.headers["x-robots-tag"] == "noindex"


async def test_a_corrected_issue_leads_to_its_earlier_versions(house, browser) -> None:
    """Sent again with other content, the page says so and the first version stays where it can be read."""
    shelve(house)
    house.clock.advance(days=1)
    shelve(house, version="<!--mended-->")
    page = (await browser.get("/brief/2022-11/?lang=es")).text
    assert "<!--mended-->" in page
    assert 'href="/brief/2022-11/v1/es"' in page
    first = await browser.get("/brief/2022-11/v1/es")
    assert "<!--mended-->" not in first.text
    assert 'href="/brief/2022-11/v2/es"' in first.text
    assert (await browser.get("/brief/2022-11/v3/es")).status_code == 404


async def test_the_index_holds_every_article_with_its_place(house, browser) -> None:
    """What the archive's page searches: a title, what stands below it, and where."""
    shelve(house)
    script = (await browser.get("/search.js?lang=es")).text
    (found,) = json.loads(script.removeprefix("window.published = ").rstrip(";\n"))
    assert found["url"] == "/brief/2022-11/?lang=es#asamblea"
    assert (found["title"], found["when"]) == ("Asamblea diplomats", "noviembre 2022")


async def test_what_nobody_knows_is_looked_for_once(house, browser) -> None:
    """However many issues there are, each is unpacked once for all lists, searches and wrong names together."""
    for month in range(1, 9):
        shelve(house, f"2022-0{month}")
    unpacked: list[str] = []

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def count(*asked: object) -> None:
        unpacked.extend(["once"] if str(asked[2]).startswith("SELECT shelf.compiled") else [])

    for path in ("/images/no.png", "/files/no.pdf", "/", "/feed.xml") * 3:
        await browser.get(path)
    assert len(unpacked) == 8
    first = (await browser.get("/search.js")).text
    seen = len(unpacked)
    assert (await browser.get("/search.js")).text == first
    assert len(unpacked) == seen


@pytest.mark.browser
@pytest.mark.skipif(chromium.browser() is None, reason="chromium is not installed")
async def test_an_issue_is_there_as_pdf(house, browser) -> None:
    """Printed once, kept, and of a published issue alone."""
    shelve(house)
    answer = await browser.get("/brief/2022-11/2022-11.es.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert (await browser.get("/brief/2022-12/2022-12.es.pdf")).status_code == 404


async def test_without_a_browser_the_pdf_is_the_web_edition(house, browser, monkeypatch) -> None:
    """A link that went out in a message leads to the issue, whatever the machine lacks."""
    shelve(house, version=" sin imprimir")
    monkeypatch.setenv("PATH", "")
    answer = await browser.get("/brief/2022-11/2022-11.es.pdf")
    assert (answer.status_code, answer.headers["location"]) == (302, "/brief/2022-11/es/")
    assert (await browser.get("/brief/2022-11/es/")).status_code == 200


async def test_edition_speaks_the_browsers_language(house, browser) -> None:
    """The browser's language decides which edition is shown."""
    shelve(house)
    assert (await browser.get("/brief/2022-11/", headers={"Accept-Language": "en-GB"})).headers[
        "content-language"
    ] == "en"


async def test_edition_runs_nothing(house, browser) -> None:
    """The policy of an edition allows its own pictures and styles, and no script, form or frame."""
    shelve(house)
    policy = (await browser.get("/brief/2022-11/")).headers["content-security-policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy


@pytest.mark.parametrize("path", ["/brief/2022-12/", "/brief/2030-01/", "/brief/2022-11/staff/es", "/images/none.png"])
async def test_what_was_not_sent_is_not_shown(house, browser, path: str) -> None:
    """A scheduled issue, an unknown one, an unknown segment or picture: nothing there."""
    shelve(house)
    shelve(house, "2022-12", sent=False)
    assert (await browser.get(path)).status_code == 404


async def test_pictures_are_for_ever(house, browser) -> None:
    """A picture is served as its type, for web mail too, and never asked for twice."""
    shelve(house)
    picture = await browser.get("/images/abc123.png")
    assert picture.content == PICTURE.content
    assert picture.headers["content-type"] == "image/png"
    assert "immutable" in picture.headers["cache-control"]
    assert picture.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_documents_are_handed_out_and_never_shown(house, browser) -> None:
    """A document of an edition comes under its own name as a download, closed to scripts; another is not found."""
    shelve(house)
    document = await browser.get(f"/files/{DOCUMENT.name}")
    assert document.content == DOCUMENT.content
    assert document.headers["content-type"] == "application/pdf"
    assert document.headers["content-disposition"] == 'attachment; filename="guia.pdf"'
    assert "sandbox" in document.headers["content-security-policy"]
    assert (await browser.get("/files/none.pdf")).status_code == 404


async def test_unchanged_edition_is_not_sent_again(house, browser) -> None:
    """A browser that has the edition is told so."""
    shelve(house)
    first = await browser.get("/brief/2022-11/")
    again = await browser.get("/brief/2022-11/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_archive_by_year(house, browser) -> None:
    """The archive lists what was sent, the newest first, under its year."""
    assert "Todavía" in (await browser.get("/")).text
    for issue in ("2022-11", "2023-01", "2022-12"):
        shelve(house, issue)
    text = (await browser.get("/?lang=es")).text
    assert re.findall(r"<h2>(\d+)</h2>|/brief/([\d-]+)/", text) == [
        ("2023", ""),
        ("", "2023-01"),
        ("2022", ""),
        ("", "2022-12"),
        ("", "2022-11"),
    ]
    assert "noviembre" in text


async def test_feed_is_atom(house, browser) -> None:
    """The feed is well-formed Atom with an entry for each issue, whatever stands in its subject."""
    shelve(house)
    feed = await browser.get("/feed.xml?lang=es")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(feed.content)
    names = {"a": "http://www.w3.org/2005/Atom"}
    assert [entry.findtext("a:title", "", names) for entry in root.findall("a:entry", names)] == ["Número 2022-11 <es>"]
    assert all(root.findtext(f"a:{name}", "", names) for name in ("id", "updated", "title"))


async def test_health(browser) -> None:
    """The health page answers `ok` while the database does."""
    assert (await browser.get("/health")).text == "ok\n"


async def test_search_engines_are_kept_from_readers_pages(browser) -> None:
    """robots.txt closes every path that holds a token; the archive may be found."""
    closed = (await browser.get("/robots.txt")).text
    assert [f"Disallow: /{kind}/" in closed for kind in "upmc"] == [True] * 4
    assert (await browser.get("/")).headers["x-robots-tag"] == "all"
    assert (await browser.get("/u/test")).headers["x-robots-tag"] == "noindex"
