"""Who follows a link: people are told from scanners by what they do, and by what they do next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.feedback.scanners import Change, Click, Judged, Scanners

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
PEOPLE = (
    FIREFOX,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
)
MACHINES = (
    "",
    "curl/8.5.0",
    "python-requests/2.32",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.example/bingbot.htm)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 5.1) BitdefenderLinkScanner",
    "Mozilla/5.0 (compatible; MSIE 8.0; ms-office; MSOffice 16)",
    "WhatsApp/2.24",
    "Barracuda Sentinel (EE)",
)


def a_click(link: int = 1, at: float = 0.0, **given) -> Click:
    """A click of a person's browser on one of twenty links."""
    plausible = {"edition": 1, "of": 20, "whence": "192.0.2.1", "agent": FIREFOX}
    return Click(link=link, at=at, **plausible | given)


def judged(*clicks: Click) -> list[Judged]:
    """What each click is taken for in the end."""
    scanners, last = Scanners(), {}
    for click in clicks:
        for change in scanners.judge(click):
            assert change.before == last.get(id(change.click))
            last[id(change.click)] = change.judged
    return [last[id(click)] for click in clicks]


@pytest.mark.parametrize("agent", PEOPLE)
def test_people(agent):
    """A browser's GET, some time after the delivery, is a person's."""
    assert judged(a_click(agent=agent)) == [Judged.PERSON]


@pytest.mark.parametrize("agent", MACHINES)
def test_what_a_machine_calls_itself(agent):
    """Programs that say what they are, or don't claim to be a browser, are none of the readers."""
    assert judged(a_click(agent=agent)) == [Judged.AGENT]


def test_how_and_when_it_asks():
    """HEAD, a prefetch, and what comes right after the delivery are no person's."""
    assert judged(a_click(method="HEAD")) == [Judged.METHOD]
    assert judged(a_click(is_prefetch=True)) == [Judged.METHOD]
    assert judged(a_click(is_hasty=True)) == [Judged.HASTE]


def test_a_burst_is_judged_as_a_whole():
    """Four links within four seconds are a scanner's, the first of them too."""
    assert judged(*(a_click(link, at=link * 0.8) for link in range(1, 7))) == [Judged.BURST] * 6


def test_all_links_of_a_short_issue_at_once():
    """In an issue of two links, both within two seconds are a burst; at a reader's pace they are not."""
    assert judged(a_click(1, of=2), a_click(2, at=1.5, of=2)) == [Judged.BURST] * 2
    assert judged(a_click(1, of=2), a_click(2, at=2.5, of=2)) == [Judged.PERSON] * 2
    assert judged(a_click(1, of=1), a_click(1, at=20, of=1)) == [Judged.PERSON] * 2


def test_a_reader_at_a_readers_pace():
    """Six links at one every five seconds, and as many from six networks at once, are people's."""
    assert judged(*(a_click(link, at=link * 5) for link in range(6))) == [Judged.PERSON] * 6
    assert judged(*(a_click(link, whence=f"192.0.2.{link}") for link in range(6))) == [Judged.PERSON] * 6


def test_the_trap_gives_all_of_its_minute_away():
    """Who takes the link that nobody sees took the others as a machine: before it and after it, for a minute."""
    clicks = [a_click(1), a_click(0, at=20, is_trap=True), a_click(2, at=40), a_click(3, at=100)]
    assert judged(*clicks) == [Judged.TRAP, Judged.TRAP, Judged.TRAP, Judged.PERSON]


def test_a_double_click_counts_once():
    """The same link again within seconds is the same person's; another browser behind the same network is another's."""
    other = PEOPLE[1]
    assert judged(a_click(), a_click(at=1), a_click(at=2, agent=other), a_click(at=30)) == [
        Judged.PERSON,
        Judged.AGAIN,
        Judged.PERSON,
        Judged.PERSON,
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3), st.booleans(), st.booleans()), max_size=60))
@settings(max_examples=60)
def test_figures_always_add_up(story):
    """Whatever comes, each click is counted as one thing: no figure falls below nought, and their sum is the clicks."""
    scanners, sums, at = Scanners(), dict.fromkeys(Judged, 0), 0.0
    for link, pause, is_hasty, is_get in story:
        at += pause
        click = a_click(link, at, of=5, is_trap=link == 0, is_hasty=is_hasty, method="GET" if is_get else "HEAD")
        changes: list[Change] = scanners.judge(click)
        for change in changes:
            sums[change.judged] += 1
            if change.before:
                sums[change.before] -= 1
    assert min(sums.values()) >= 0
    assert sum(sums.values()) == len(story)


def test_memory_is_bounded():
    """Ten thousand networks are remembered, and no more."""
    scanners = Scanners()
    for number in range(10_050):
        scanners.judge(a_click(whence=str(number)))
    assert len(scanners._seen) == 10_000
