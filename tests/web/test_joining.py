"""Joining: double opt-in that tells strangers nothing and can't be made to flood anybody."""

import re

import pytest

from mailer.storage.register.tables import suppressions
from mailer.testing import FrozenClock
from mailer.web import puzzle
from mailer.web.joining import CONSENT_VERSION
from tests.web.conftest import books, link_in

NEW = "prensa@nuevo.example"


def solve(token: str) -> str:
    """Do the browser's sum."""
    _, _, salt, wanted = token.split(".", maxsplit=1)[0].split("-")
    return next(str(number) for number in range(puzzle.EFFORT) if puzzle._hash(salt, number) == wanted)


async def drawn(browser) -> str:
    """The puzzle of a fresh form."""
    return re.search(r'name="puzzle" value="([^"]+)"', (await browser.get("/subscribe")).text)[1]


async def ask(browser, email: str = NEW, *, solved: bool = True, **more):
    """Fill in the form and send it."""
    token = await drawn(browser)
    number = solve(token) if solved else ""
    form = {"email": email, "segment": ["gads"], "consent": "yes", "language": "es", "puzzle": token, "number": number}
    return await browser.post("/subscribe", data=form | more)


async def confirm(browser, letters):
    """Follow the last letter's link and press its button."""
    link = link_in((await letters())[-1])
    assert (await browser.get(link)).status_code == 200
    return await browser.post(link, data={"action": "confirm"})


async def test_double_opt_in(browser, house, letters) -> None:
    """Nobody is in the register before the letter's link was followed and its button pressed, with the consent."""
    await ask(browser, name="Prensa")
    assert len(books(house)["subscribers"]) == 2
    page = await confirm(browser, letters)
    assert page.status_code == 200
    new = books(house)["subscribers"][-1]
    assert (new.email, new.name, new.state, new.language) == (NEW, "Prensa", "active", "es")
    assert [row.segment for row in books(house)["memberships"] if row.subscriber_id == new.id] == ["gads"]
    (ground,) = books(house)["consents"]
    assert (ground.subscriber_id, ground.basis, ground.at) == (new.id, "consent", house.clock.now())
    assert (ground.text_version, ground.who) == (CONSENT_VERSION, "reader")
    assert ground.proof.endswith("signup:1")


async def test_letter_is_marked_as_automatic(browser, letters) -> None:
    """The confirmation says that a machine wrote it, to whom, and carries nothing that was typed but the address."""
    await ask(browser, name="Compre en http://spam.example")
    letter = (await letters())[0]
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["To"] == NEW
    assert "spam" not in letter.as_string()
    assert {part.get_content_type() for part in letter.walk()} == {"multipart/alternative", "text/plain", "text/html"}


async def test_same_page_for_known_and_unknown(browser, letters) -> None:
    """A reader's address gets the same page as a stranger's; only the mailbox learns the difference."""
    fresh = await ask(browser)
    known = await ask(browser, "network@cities.example")
    hide = re.compile(r'nonce="[^"]+"|\S+@\S+\.example')
    assert hide.sub("", fresh.text) == hide.sub("", known.text)
    assert fresh.headers.keys() == known.headers.keys()
    subjects = [letter["Subject"] for letter in await letters()]
    texts = [letter.get_body(("plain",)).get_content() for letter in await letters()]
    assert not any("&" in text or "<" in text for text in texts), "text is no HTML"
    assert any("Confirm" in subject for subject in subjects)
    assert any("already" in subject for subject in subjects)


async def test_one_letter_a_day(browser, letters, clock: FrozenClock) -> None:
    """However often an address is typed, in whatever case, it gets one letter a day."""
    for spelling in (NEW, NEW.upper(), NEW.title(), NEW):
        assert (await ask(browser, spelling)).status_code == 200
    assert len(await letters()) == 1
    clock.advance(hours=25)
    await ask(browser)
    assert len(await letters()) == 2


async def test_suppressed_address_gets_nothing(browser, house, letters) -> None:
    """An address or domain that must not be written to gets no letter, and the page doesn't say so."""
    with house.database.write() as connection:
        for key in (NEW, "@closed.example"):
            connection.execute(suppressions.insert().values(key=key, reason="complaint", since=house.clock.now()))
    for email in (NEW, "anybody@closed.example"):
        assert (await ask(browser, email)).status_code == 200
    assert await letters() == []


async def test_cap_per_network(browser, letters) -> None:
    """One network can set off twenty letters a day with the sum done."""
    for number in range(25):
        await ask(browser, f"a{number}@d{number}.example")
    assert len(await letters()) == 20


async def test_cap_without_the_sum(browser, letters, clock: FrozenClock) -> None:
    """Without JavaScript joining works, a little slower and four times a day from one network."""
    token = await drawn(browser)
    clock.advance(seconds=10)
    for number in range(6):
        await ask(browser, f"a{number}@d.example", solved=False, puzzle=token)
    assert len(await letters()) == 1, "a form is good for one letter"
    for number in range(6):
        token = await drawn(browser)
        clock.advance(seconds=10)
        await ask(browser, f"b{number}@d.example", solved=False, puzzle=token)
    assert len(await letters()) == 4


async def test_too_hasty_without_the_sum(browser, letters) -> None:
    """A form sent at once and unsolved is shown again, and a second press is enough for a person."""
    assert (await ask(browser, solved=False)).status_code == 422
    assert await letters() == []


async def test_solved_puzzle_is_good_for_once(browser, letters) -> None:
    """The same solution can't be used for many addresses."""
    token = await drawn(browser)
    number = solve(token)
    for name in "abc":
        await ask(browser, f"{name}@d.example", puzzle=token, number=number)
    assert len(await letters()) == 1


async def test_trap(browser, letters) -> None:
    """Who fills in the field that people don't see gets the usual page and no letter."""
    assert (await ask(browser, telefax="1")).status_code == 200
    assert await letters() == []


async def test_old_form(browser, letters, clock: FrozenClock) -> None:
    """A form from hours ago is shown again with what was typed."""
    token = await drawn(browser)
    clock.advance(hours=5)
    page = await ask(browser, puzzle=token, number=solve(token), name="Prensa")
    assert page.status_code == 422
    assert 'value="Prensa"' in page.text
    assert await letters() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "no address"), ("email", "a@b.example\r\nBcc: all@b.example"), ("segment", "staff"), ("consent", "")],
)
async def test_what_is_wrong_is_said(browser, letters, field: str, value: str) -> None:
    """A form that lacks something says what, beside the field, and sets off no letter."""
    page = await ask(browser, **{field: value})
    assert page.status_code == 422
    assert f'id="wrong-{field}"' in page.text
    assert await letters() == []


async def test_confirmation_is_good_for_once(browser, house, links, letters) -> None:
    """Who confirmed and left later isn't brought back by the old link."""
    await ask(browser)
    await confirm(browser, letters)
    await browser.post(links("unsubscribe", 3), data={"List-Unsubscribe": "One-Click"})
    page = await confirm(browser, letters)
    assert page.status_code == 200
    assert books(house)["subscribers"][-1].state == "unsubscribed"


async def test_confirmation_lasts_three_days(browser, letters, clock: FrozenClock) -> None:
    """After three days the link opens nothing."""
    await ask(browser)
    clock.advance(days=3, minutes=1)
    link = link_in((await letters())[0])
    assert (await browser.get(link)).status_code == 404
    assert (await browser.post(link, data={"action": "confirm"})).status_code == 404


async def test_coming_back(browser, house, links, letters) -> None:
    """Who left may join again by the same way, into what they choose now."""
    await browser.post(links("unsubscribe", 2), data={"List-Unsubscribe": "One-Click"})
    await ask(browser, "network@cities.example", language="en")
    await confirm(browser, letters)
    assert len(books(house)["subscribers"]) == 2
    assert books(house)["subscribers"][1].state == "active"
    rows = books(house)["memberships"]
    assert {(row.segment, row.state) for row in rows if row.subscriber_id == 2} == {
        ("diplomats", "left"),
        ("gads", "joined"),
    }


async def test_unconfirmed_wishes_are_forgotten(browser, house, desk, clock: FrozenClock) -> None:
    """A wish that nobody confirmed is gone after a month, with its letter and its counts."""
    await ask(browser)
    clock.advance(days=31)
    desk.signups.tidy()
    assert {name: books(house)[name] for name in ("signups", "notices", "quotas")} == {
        "signups": [],
        "notices": [],
        "quotas": [],
    }


async def test_coming_back_after_erasure(browser, house, desk, letters) -> None:
    """Who was erased may join again by their own wish, and is no longer kept out."""
    desk.rights.erase(2, who="reader")
    await ask(browser, "network@cities.example")
    await confirm(browser, letters)
    assert books(house)["subscribers"][-1].email == "network@cities.example"
    assert not desk.rights.is_erased("network@cities.example")


async def test_one_odd_address_holds_up_nobody(browser, letters) -> None:
    """A domain of another alphabet is written as mail wants it; who can't be written to holds up nobody else."""
    for email in ("prensa@nabón.example", "ñandú@nabon.example", NEW):
        assert (await ask(browser, email)).status_code == 200
    posted = {str(letter["To"]) for letter in await letters()}
    assert posted == {f"prensa@{'nabón'.encode('idna').decode()}.example", NEW}
