"""Links that are counted: where they lead, what is kept of a click, and of whom."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import httpx
import msgspec
import pytest

from mailer import dispatch
from mailer.app import App
from mailer.audience.rules import parse_rule
from mailer.campaigns.approval import Approval
from mailer.editions.edition import Compiled
from mailer.testing import an_edition
from mailer.web.application import create
from tests.feedback.test_scanners import FIREFOX
from tests.web.conftest import books, link_in

BROWSER = {"User-Agent": FIREFOX}


def track(house: App, how: str) -> None:
    """Let the config say how clicks are counted."""
    feedback = msgspec.structs.replace(house.config.feedback, tracking=how)
    house.config = msgspec.structs.replace(house.config, feedback=feedback)


OURS = "http://127.0.0.1:8000"
PAGE = f"""<body><p>@@greeting@@</p>
<h2 id="asamblea">A</h2><a href="{OURS}/brief/2022-11/#asamblea">Leer más</a>
<h2 id="patrimonio">P</h2><a href="https://ciudad.example/?a=1&amp;b=2">Leer más</a>
<a href="@@web_url@@">Web</a> <a href="@@preferences_url@@">P</a> <a href="@@unsubscribe_url@@">Baja</a></body>"""
TEXT = f"""@@greeting@@
[1] {OURS}/brief/2022-11/#asamblea
[2] https://ciudad.example/?a=1&b=2
@@web_url@@ @@preferences_url@@ @@unsubscribe_url@@
"""


async def send(house: App) -> list[EmailMessage]:
    """Send a small issue to both readers; their messages, in the order of the register."""
    compiled = Compiled("2022-11", "a hash", (an_edition(segment="diplomats", html=PAGE, text=TEXT),))
    house.agenda.approve(Approval("2022-11", compiled.content_hash, "Office", house.clock.now()))
    campaign = dispatch.begin(house, dispatch.open_campaign(house, compiled, ["diplomats"], by="x"), who="x")
    await dispatch.send(house, campaign)
    files = (house.loaded.folder / "var" / "outbox").glob("*.eml")
    messages = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return sorted(messages, key=lambda message: message["To"])


def ways(message: EmailMessage) -> list[str]:
    """The paths of the counted links in the HTML, the trap's last."""
    return re.findall(r'href="http://127.0.0.1:8000(/l/[^"]+)"', message.get_body(("html",)).get_content())


def figures(house: App) -> dict[str, tuple[int, int]]:
    """Raw and human figures of each article that was followed."""
    return {each.article: (each.raw, each.human) for each in house.clicks.counts("2022-11")[0] if each.raw}


async def test_a_click_is_counted_without_a_name(house, browser, clock) -> None:
    """A link leads to the stored page, with no cookie; the figure is by article and segment, and names nobody."""
    ana, kim = await send(house)
    first, *_, trap = ways(ana)
    assert ways(ana) == ways(kim), "the same links for everybody: none says whose it is"
    text = ana.get_body(("plain",)).get_content()
    assert f"http://127.0.0.1:8000{first}" in text
    assert trap not in text
    clock.advance(minutes=5)
    before = books(house)
    answer = await browser.get(first, headers=BROWSER)
    assert answer.status_code == 302
    assert answer.headers["location"] == "http://127.0.0.1:8000/brief/2022-11/#asamblea"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert figures(house) == {"asamblea": (1, 1)}
    after = books(house)
    assert {name for name in after if after[name] != before[name]} == {"clicks"}


async def test_scanners_are_counted_apart(house, browser, clock) -> None:
    """HEAD, a program, the seconds after the delivery, a burst and the trap are raw figures and no person's."""
    first, second, trap = ways((await send(house))[0])
    await browser.get(first, headers=BROWSER)
    assert figures(house) == {"asamblea": (1, 0)}, "nobody reads that fast"
    clock.advance(minutes=5)
    await browser.head(first, headers=BROWSER)
    await browser.get(first, headers={"User-Agent": "curl/8"})
    await browser.get(first, headers=BROWSER | {"Sec-Purpose": "prefetch"})
    assert figures(house) == {"asamblea": (4, 0)}
    clock.advance(minutes=5)
    await browser.get(first, headers=BROWSER)
    assert figures(house)["asamblea"] == (5, 1)
    await browser.get(second, headers=BROWSER)
    assert figures(house) == {"asamblea": (5, 0), "patrimonio": (1, 0)}, "both within a second: the first is taken back"
    clock.advance(minutes=5)
    await browser.get(first, headers=BROWSER)
    clock.advance(seconds=9)
    assert (await browser.get(trap, headers=BROWSER)).headers["location"] == "http://127.0.0.1:8000/"
    assert figures(house) == {"": (1, 0), "asamblea": (6, 0), "patrimonio": (1, 0)}


async def test_nobody_is_led_elsewhere(house, browser, links) -> None:
    """Parameters, other tokens and flipped bits lead nowhere but to the stored page or to one that says no."""
    first = ways((await send(house))[0])[0]
    for more in ("?url=https://evil.example", "?next=//evil.example", "/https://evil.example"):
        answer = await browser.get(first + more, headers=BROWSER)
        assert "evil" not in answer.headers.get("location", "")
    before, signer = books(house), house.signer
    wrong = [first[:spot] + chr(ord(first[spot]) ^ 1) + first[spot + 1 :] for spot in range(3, len(first))]
    wrong += [f"/l/{signer.sign('link', text)}" for text in ("0", "999", "1-1", "x")]
    wrong += [
        f"/l{links('unsubscribe')[2:]}",
        f"/u{first[2:]}",
        f"{first}/{signer.sign('clicker', '9-1')}",
        f"{first}/x",
    ]
    assert {(await browser.get(path, headers=BROWSER)).status_code for path in wrong} == {404}
    assert books(house) == before


async def test_untracked(house, browser) -> None:
    """With `tracking = "none"` every link stays as it was written, and there is nothing to count."""
    track(house, "none")
    message = (await send(house))[0]
    assert ways(message) == []
    assert "http://127.0.0.1:8000/brief/2022-11/#asamblea" in message.get_body(("html",)).get_content()
    assert "display:none;mso-hide:all" not in message.get_body(("html",)).get_content()
    assert books(house)["links"] == []


async def test_a_campaign_counts_as_it_began(house) -> None:
    """What the config says later changes no campaign that has begun: what is sent again is the same message."""
    before = await send(house)
    campaign = house.agenda.campaigns("2022-11")[0]
    track(house, "none")
    house.lay_trails(campaign)
    assert house.clicks.laid(campaign.id).tracking == "aggregate"
    assert len(books(house)["links"]) == len(ways(before[0]))


async def test_a_name_is_kept_only_of_who_said_yes(house, links, letters, clock) -> None:
    """With `individual`, whoever ticked the box is known by their clicks; untick it, and what was kept is gone."""
    track(house, "individual")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create(house)), base_url="http://x.example"
    ) as browser:
        await browser.post(links("preferences"), data={"action": "link"})
        own = link_in((await letters())[-1])
        assert 'name="clicks"' not in (await browser.get(links("preferences"))).text, "a forwarded copy can't say yes"
        assert 'name="clicks" value="yes" id="clicks">' in (await browser.get(own)).text
        saved = {"action": "save", "name": "Ana", "segment": ["diplomats", "gads"], "asked": "clicks"}
        await browser.post(own, data=saved | {"clicks": "yes"})
        for letter in (house.loaded.folder / "var" / "outbox").glob("*.eml"):
            letter.unlink()
        ana, kim = await send(house)
        assert [len(way.split("/")) for way in ways(ana)] == [4, 4, 4]
        assert [len(way.split("/")) for way in ways(kim)] == [3, 3, 3]
        await browser.get(ways(ana)[1], headers=BROWSER)
        assert books(house)["clickers"] == [], "too soon after the delivery"
        clock.advance(minutes=5)
        for way in (ways(ana)[0], ways(kim)[0]):
            await browser.get(way, headers=BROWSER)
            clock.advance(minutes=5)
        assert [row.subscriber_id for row in books(house)["clickers"]] == [1]
        fits = house.register.fitting(parse_rule('clicked "2022-11"'), 9).sample
        assert [each["email"] for each in fits] == ["embajada@ambito.example"]
        held = (await browser.post(own, data={"action": "download"})).json()
        assert [row["article"] for row in held["clickers"]] == ["asamblea"]
        await browser.post(own, data=saved)
        assert books(house)["clickers"] == []
        await browser.get(ways(ana)[0], headers=BROWSER)
        assert books(house)["clickers"] == [], "the link still names her; nothing is kept any more"
    assert [row.is_given for row in books(house)["click_consents"]] == [True, False]


async def test_the_reader_goes_on_whatever_becomes_of_the_figure(house, browser, clock) -> None:
    """While the database takes no writing, a link leads on all the same."""
    first = ways((await send(house))[0])[0]
    clock.advance(minutes=5)
    await browser.get(first, headers=BROWSER)
    with house.database.write():
        assert (await browser.get(first, headers=BROWSER)).status_code == 302


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods(house, browser, method) -> None:
    """A link is followed by GET; nothing else is counted."""
    first = ways((await send(house))[0])[0]
    assert (await browser.request(method, first, headers=BROWSER)).status_code == 405
    assert figures(house) == {}
