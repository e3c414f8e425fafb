"""Leaving: one click for a mail program, one button for a person, a day to come back."""

import asyncio
import re

import httpx
import pytest

from mailer.app import App
from mailer.storage.register.tables import subscribers
from mailer.testing import FrozenClock
from tests.web.conftest import actions, books, link_in

MULTIPART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
NAMED_X = b'Content-Disposition: form-data; name="x"'
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def state_of(house: App, number: int = 1) -> str:
    """How a reader stands."""
    return next(row.state for row in books(house)["subscribers"] if row.id == number)


async def test_gmail_one_click(browser, house, links) -> None:
    """Gmail's urlencoded POST takes the reader out of everything, answered at once: no cookie, redirect or login."""
    answer = await browser.post(links("unsubscribe"), data=ONE_CLICK, headers={"User-Agent": "Google-Unsubscribe"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert state_of(house) == "unsubscribed"
    assert {row.state for row in books(house)["memberships"] if row.subscriber_id == 1} == {"left"}


async def test_yahoo_one_click(browser, house, links) -> None:
    """The multipart/form-data form of the same request works as well."""
    answer = await browser.post(links("unsubscribe"), files={"List-Unsubscribe": (None, "One-Click")})
    assert answer.status_code == 200
    assert state_of(house) == "unsubscribed"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        ("application/x-www-form-urlencoded; charset=UTF-8", b"list-unsubscribe=One-Click&x=1"),
        ("multipart/form-data; boundary=b", MULTIPART),
        (
            'Multipart/Form-Data; boundary="b"',
            MULTIPART.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain\r\n\r\n", 1),
        ),
        ("multipart/form-data; boundary=b", MULTIPART.replace(b"--b--", b"--b\r\n%s\r\n\r\n1\r\n--b--" % NAMED_X)),
        ("APPLICATION/X-WWW-FORM-URLENCODED", b"LIST-UNSUBSCRIBE=ONE-CLICK"),
        ("text/plain", b"List-Unsubscribe=One-Click\r\n"),
        ("", b"List-Unsubscribe=One-Click"),
    ],
)
async def test_one_click_as_it_comes(browser, house, links, kind: str, body: bytes) -> None:
    """However a mail program or a proxy on the way writes the request, and whatever the link gained, it is heard."""
    link = links("unsubscribe") + "?utm_source=x&lang=en"
    answer = await browser.post(link, content=body, headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.text) == (200, "OK\n")
    assert state_of(house) == "unsubscribed"


async def test_one_click_is_idempotent(browser, house, links, clock: FrozenClock) -> None:
    """A second request changes nothing, not even the day on which the reader left."""
    await browser.post(links("unsubscribe"), data=ONE_CLICK)
    before = books(house)
    clock.advance(hours=2)
    assert (await browser.post(links("unsubscribe"), data=ONE_CLICK)).status_code == 200
    assert books(house) == before


async def test_nobody_else_leaves(browser, house, links) -> None:
    """Only the reader whom the token names is taken out."""
    await browser.post(links("unsubscribe"), data=ONE_CLICK)
    assert state_of(house, 2) == "active"


async def test_page_asks_first(browser, house, links) -> None:
    """GET shows one button and a masked hint, and changes nothing."""
    before = books(house)
    page = await browser.get(links("unsubscribe"))
    assert page.status_code == 200
    assert "e•••••@a•••••.example" in page.text
    assert "embajada" not in page.text
    assert "Ana" not in page.text
    assert page.text.count("<button") == 1
    assert books(house) == before


async def test_button_shows_what_was_left(browser, links) -> None:
    """The page after the button names the lists that were left and offers the way back."""
    page = await browser.post(links("unsubscribe"), data={"action": "leave"})
    assert "Cuerpo diplomático" in page.text
    assert "Gobiernos autónomos descentralizados" in page.text
    assert 'value="return"' in page.text
    assert re.search(r"hasta el \d{1,2} de [a-z]+, \d\d:\d\d", page.text)


async def test_undo_within_a_day(browser, house, links, clock: FrozenClock) -> None:
    """For a day a POST puts everything back as it was."""
    await browser.post(links("unsubscribe"), data=ONE_CLICK)
    clock.advance(hours=23)
    page = await browser.post(links("unsubscribe"), data={"action": "return"})
    assert "Cuerpo diplomático" in page.text
    assert state_of(house) == "active"
    assert {row.state for row in books(house)["memberships"] if row.subscriber_id == 1} == {"joined"}
    assert actions(house) == ["unsubscribed", "undid leaving"]


async def test_no_undo_after_a_day(browser, house, links, clock: FrozenClock) -> None:
    """After the day the button is gone and its POST does nothing."""
    await browser.post(links("unsubscribe"), data=ONE_CLICK)
    clock.advance(hours=25)
    assert 'value="return"' not in (await browser.get(links("unsubscribe"))).text
    await browser.post(links("unsubscribe"), data={"action": "return"})
    assert state_of(house) == "unsubscribed"


async def test_who_has_left_keeps_the_right_to_their_data(browser, house, links, letters) -> None:
    """From the page after leaving, the link to what is still kept goes to the reader's own address, and it erases."""
    await browser.post(links("unsubscribe"), data=ONE_CLICK)
    page = await browser.post(links("unsubscribe"), data={"action": "link"})
    assert "en las próximas 24 horas" in page.text
    (letter,) = await letters()
    assert letter["To"] == "embajada@ambito.example"
    await browser.post(link_in(letter), data={"action": "erase", "sure": "yes"})
    assert "embajada" not in repr(books(house))


async def test_the_readers_own_language(browser, links) -> None:
    """The page speaks the reader's language before the browser's, and another if asked."""
    spanish = {"Accept-Language": "es"}
    assert 'lang="en"' in (await browser.get(links("unsubscribe", 2), headers=spanish)).text[:60]
    assert 'lang="es"' in (await browser.get(links("unsubscribe", 2) + "?lang=es")).text[:60]


@pytest.mark.parametrize("body", [{}, {"action": "other"}, {"x": "List-Unsubscribe"}])
async def test_other_posts_only_ask(browser, house, links, body: dict[str, str]) -> None:
    """A POST that says neither One-Click nor the button's word shows the question and changes nothing."""
    before = books(house)
    page = await browser.post(links("unsubscribe"), data=body)
    assert 'value="leave"' in page.text
    assert books(house) == before


async def test_links_of_a_test_message(browser, house) -> None:
    """The links of a message for the staff say that it was a test and change nothing."""
    before = books(house)
    for path in ("/u/test", "/p/test"):
        assert "prueba" in (await browser.get(path)).text
        assert (await browser.post(path, data=ONE_CLICK)).status_code == 200
    assert books(house) == before


async def test_many_leave_at_once(house: App, app, links) -> None:
    """Hundreds who leave in the same moment are all gone when their answers arrive, in a few commits."""
    now = house.clock.now()
    people = [
        {"id": number, "email": f"r{number}@many.example", "email_key": f"r{number}@many.example"}
        | {"domain": "many.example", "created_at": now, "updated_at": now}
        for number in range(3, 303)
    ]
    with house.database.write() as connection:
        connection.execute(subscribers.insert(), people)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://pages.example") as client:
        answers = await asyncio.gather(
            *(client.post(links("unsubscribe", number), data=ONE_CLICK) for number in range(3, 303))
        )
    assert {answer.status_code for answer in answers} == {200}
    gone = [row.id for row in books(house)["subscribers"] if row.state == "unsubscribed"]
    assert gone == list(range(3, 303))
