"""Preferences: what the link in a message may change, and what only the posted link opens."""

import json

import pytest

from mailer.testing import FrozenClock
from tests.web.conftest import actions, books, link_in


def entry(house, number: int = 1):
    """A reader's row."""
    return next(row for row in books(house)["subscribers"] if row.id == number)


def joined(house, number: int = 1) -> set[str]:
    """The segments a reader is in."""
    rows = books(house)["memberships"]
    return {row.segment for row in rows if row.subscriber_id == number and row.state == "joined"}


async def own_link(browser, links, letters) -> str:
    """Ask for the posted link and take it from the letter."""
    await browser.post(links("preferences"), data={"action": "link"})
    return link_in((await letters())[-1])


async def test_forwarded_link_unmasks_nobody(browser, links) -> None:
    """The page behind the message's link shows a hint, and neither name nor address."""
    page = (await browser.get(links("preferences"))).text
    assert "e•••••@a•••••.example" in page
    assert "embajada" not in page
    assert "Ana" not in page


async def test_change_lists_language_and_pause(browser, house, links) -> None:
    """Lists, language and pause are changed together, and the pause ends at the publication's midnight."""
    wanted = {"action": "save", "segment": ["gads", "partners"], "language": "en", "pause": "2027-01-15"}
    page = await browser.post(links("preferences"), data=wanted)
    assert page.status_code == 200
    assert joined(house) == {"gads", "partners"}
    assert entry(house).language == "en"
    assert entry(house).paused_until.isoformat() == "2027-01-15T05:00:00+00:00"
    assert entry(house).name == "Ana Pérez"


async def test_list_never_overwrites_a_choice(browser, house, links) -> None:
    """What a reader chose belongs to them: the register marks the field as theirs."""
    await browser.post(links("preferences"), data={"action": "save", "segment": "gads", "language": "en"})
    assert [(row.field, row.owner) for row in books(house)["field_owners"]] == [("language", "hand")]


@pytest.mark.parametrize("pause", ["yesterday", "2026-11-30", "2028-01-01", "0001-01-01", "9999-12-31", "2026-02-30"])
async def test_impossible_pause(browser, house, links, pause: str) -> None:
    """A pause that isn't a day of the coming year is explained, and nothing is changed."""
    before = books(house)
    page = await browser.post(links("preferences"), data={"action": "save", "segment": "gads", "pause": pause})
    assert page.status_code == 422
    assert 'id="wrong-pause"' in page.text
    assert books(house) == before


async def test_no_list_is_no_answer(browser, house, links) -> None:
    """Unticking everything isn't taken for leaving: the page says how to leave."""
    page = await browser.post(links("preferences"), data={"action": "save"})
    assert page.status_code == 422
    assert joined(house) == {"diplomats", "gads"}


async def test_unknown_list_is_ignored(browser, house, links) -> None:
    """A segment that isn't offered can't be joined."""
    await browser.post(links("preferences"), data={"action": "save", "segment": ["gads", "staff", "'; --"]})
    assert joined(house) == {"gads"}


async def test_leave_and_return(browser, house, links) -> None:
    """The page lets a reader leave everything and undo it."""
    assert 'value="return"' in (await browser.post(links("preferences"), data={"action": "leave"})).text
    assert joined(house) == set()
    await browser.post(links("preferences"), data={"action": "return"})
    assert joined(house) == {"diplomats", "gads"}


async def test_save_after_leaving_revives_nobody(browser, house, links) -> None:
    """A page that was still open when the reader left can't put them back."""
    await browser.post(links("preferences"), data={"action": "leave"})
    await browser.post(links("preferences"), data={"action": "save", "segment": "gads"})
    assert entry(house).state == "unsubscribed"
    assert joined(house) == set()


async def test_own_link_opens_the_name(browser, house, links, letters) -> None:
    """The posted link shows and changes the name."""
    own = await own_link(browser, links, letters)
    assert "Ana Pérez" in (await browser.get(own)).text
    await browser.post(own, data={"action": "save", "segment": "gads", "name": "Ana María Pérez"})
    assert entry(house).name == "Ana María Pérez"


async def test_own_link_lasts_a_day(browser, links, letters, clock: FrozenClock) -> None:
    """After a day the posted link opens nothing."""
    own = await own_link(browser, links, letters)
    clock.advance(hours=25)
    assert (await browser.get(own)).status_code == 404


async def test_own_links_a_day(browser, links, letters) -> None:
    """Whoever holds a forwarded copy can set off three such letters a day, no more."""
    for _ in range(6):
        await browser.post(links("preferences"), data={"action": "link"})
    assert len(await letters()) == 3


async def test_download(browser, links, letters) -> None:
    """The download is JSON, attached, and holds everything about this reader and nothing about another."""
    own = await own_link(browser, links, letters)
    file = await browser.post(own, data={"action": "download"})
    assert file.headers["content-type"] == "application/json"
    assert file.headers["content-disposition"].startswith("attachment")
    held = json.loads(file.text)
    assert held["subscriber"]["email"] == "embajada@ambito.example"
    assert {row["segment"] for row in held["memberships"]} == {"diplomats", "gads"}
    assert "cities.example" not in file.text


async def test_erase_asks_twice(browser, house, links, letters) -> None:
    """Without the box ticked nothing is erased, and the page says what is missing."""
    own = await own_link(browser, links, letters)
    page = await browser.post(own, data={"action": "erase"})
    assert page.status_code == 422
    assert "Marque la casilla para confirmarlo" in page.text
    assert entry(house).email == "embajada@ambito.example"


async def test_erase(browser, house, links, letters, desk) -> None:
    """After erasure no table holds the address or the name, the seal knows the address, and every link is dead."""
    own = await own_link(browser, links, letters)
    await browser.post(links("unsubscribe"), data={"action": "leave"})
    page = await browser.post(own, data={"action": "erase", "sure": "yes"})
    assert page.status_code == 200
    held = repr(books(house))
    assert "embajada" not in held
    assert "Ana Pérez" not in held
    assert desk.rights.is_erased("Embajada@AMBITO.example")
    assert not desk.rights.is_erased("network@cities.example")
    for link in (own, links("preferences"), links("unsubscribe")):
        assert (await browser.get(link)).status_code == 404
    assert actions(house)[-1] == "erased"
