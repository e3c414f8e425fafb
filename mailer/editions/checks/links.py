"""Links: those that lead nowhere, to the writer's own machine, or to who knows where."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from mailer.editions.checks.circumstances import Failure
from mailer.editions.checks.passages import paragraphs
from mailer.editions.checks.remark import Remark, error, warning
from mailer.issues.issue import FILES, Issue
from mailer.issues.markdown import links as links_of

_SHORTENERS: Final = frozenset(
    (
        "acortar.link",
        "bit.ly",
        "buff.ly",
        "cutt.ly",
        "goo.gl",
        "is.gd",
        "n9.cl",
        "ow.ly",
        "rb.gy",
        "rebrand.ly",
        "shorturl.at",
        "t.co",
        "t.ly",
        "tinyurl.com",
    )
)
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
# Markdown ends an address at a space, and then it is no link: readers would see its brackets.
_SPACED: Final = re.compile(r"""\]\([ \t]*(?P<url>[^\s()<>"'“”]+[ \t]+[^()<>"'“”\n]*[^\s()<>"'“”])[ \t]*\)""")
_HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_SUFFIX: Final = re.compile(r"\.\w{2,5}$")
_QUOTED: Final = re.compile(r"""\]\([ \t]*["'“”«](?P<url>[^()\s]+?)["'“”»][ \t]*\)""")


def links(issue: Issue) -> Iterator[Remark]:
    """What the links family has to say about an issue."""
    for section in issue.sections:
        yield from _in_text(issue, section.intro, section.intro_line)
        for article in section.articles:
            yield from _in_text(issue, article.body, article.body_line)
            if article.button:
                yield from _judged(article.button.url, issue.where(article.button.line), button=True)


class _Link(NamedTuple):
    """A link in a sentence, or a button."""

    label: str
    url: str
    line: int
    is_button: bool


def other_texts(issue: Issue) -> Iterator[Remark]:
    """One address under different texts, one text for different addresses: readers take them for two, or for one."""
    labels: dict[str, _Link] = {}
    urls: dict[str, _Link] = {}
    for link in _all(issue):
        if link.is_button or not link.url.startswith("http"):
            continue
        label = " ".join(link.label.casefold().split())
        same_url, same_label = urls.setdefault(link.url, link), labels.setdefault(label, link)
        where = issue.where(link.line)
        if same_url.label.casefold().split() != label.split():
            told = f'"{link.label}" leads where "{same_url.label}" leads (line {same_url.line}); call it the same'
            yield warning("link-other-text", where, told)
        elif same_label.url != link.url:
            told = f'"{link.label}" leads elsewhere than on line {same_label.line}; say in its text what it leads to'
            yield warning("link-other-text", where, told)


def unreachable(issue: Issue, ask: Callable[[Collection[str]], Mapping[str, Failure]]) -> Iterator[Remark]:
    """The pages that aren't there, or whose servers don't answer."""
    web = [link for link in _all(issue) if link.url.startswith(("http://", "https://")) and not _inside(link.url)]
    failures = ask([link.url for link in web])
    for link in dict.fromkeys(web):
        if failure := failures.get(link.url):
            where = issue.where(link.line)
            if failure.certain:
                yield error("link-dead", where, f"{link.url} leads nowhere: {failure.reason}; mend the address")
            else:
                yield warning(
                    "link-unanswered", where, f"{link.url} could not be read: {failure.reason}; try it by hand"
                )


def _all(issue: Issue) -> Iterator[_Link]:
    for section in issue.sections:
        bodies = [(section.intro, section.intro_line), *((a.body, a.body_line) for a in section.articles)]
        for body, first in bodies:
            for text, line in paragraphs(body, first):
                for label, url in links_of(text):
                    yield _Link(label, url, line + text.count("\n", 0, max(text.find(url), 0)), is_button=False)
        for article in section.articles:
            if article.button:
                yield _Link(article.button.label, article.button.url, article.button.line, is_button=True)


def _inside(url: str) -> bool:
    """Whether an address was told to be local already."""
    try:
        return _local((urlsplit(url).hostname or "").lower())
    except ValueError:
        return True


def _in_text(issue: Issue, markdown: str, line: int) -> Iterator[Remark]:
    for text, first in paragraphs(markdown, line):
        for label, url in links_of(text):
            where = issue.where(first + text.count("\n", 0, max(text.find(url), 0)))
            if not label.strip():
                yield error("link-empty", where, "the link has no text; write [what it is](https://…)")
            yield from _judged(url, where, button=False)
        yield from _no_links(issue, text, first)


def _no_links(issue: Issue, text: str, first: int) -> Iterator[Remark]:
    """What was meant for a link, and isn't one."""
    for rule, advice in (
        (_SPACED, "has a space in it, which ends it; write %20 instead"),
        (_QUOTED, "needs no quotes"),
    ):
        for found in rule.finditer(text):
            where = issue.where(first + text.count("\n", 0, found.start()))
            yield error("link-broken", where, f'the address "{found["url"]}" {advice}')


def _judged(url: str, where: str, *, button: bool) -> Iterator[Remark]:
    if url == "#" and button:
        yield warning(
            "link-own-page", where, 'the link "#" leads to the article in the web edition; give the real page'
        )
        return
    if button and url.startswith(FILES):
        return
    if not url or url.startswith("#"):
        yield error("link-empty", where, f'the link "{url}" leads nowhere; write an address that begins with https://')
        return
    try:
        parts = urlsplit(url)
        host, named = (parts.hostname or "").lower(), parts.username is not None
    except ValueError:
        yield error("link-broken", where, f'"{url}" is no address; write one that begins with https://')
        return
    if parts.scheme not in _SCHEMES or (parts.scheme.startswith("http") and "." not in host and not _local(host)):
        yield error("link-relative", where, f'"{url}" leads nowhere from a mail; {_instead(url, button=button)}')
    elif parts.scheme.startswith("http"):
        yield from _on_the_web(parts.scheme, host, where, named=named)


def _instead(url: str, *, button: bool) -> str:
    """
    What to write for an address that leads nowhere.

    >>> _instead("quito.example/acta", button=False), _instead("acta.docx", button=True)[:16]
    ('write https://quito.example/acta', 'put the document')
    """
    first, slash, _ = url.partition("/")
    if _HOST.fullmatch(first) and (slash or first.startswith("www.")):
        return f"write https://{url}"
    if button and ":" not in url and _SUFFIX.search(url):
        name = url.replace("\\", "/").rpartition("/")[2]
        return f"put the document into the issue's folder {FILES} and write {FILES}{name}, or give an https:// address"
    return "write an address that begins with https://"


def _on_the_web(scheme: str, host: str, where: str, *, named: bool) -> Iterator[Remark]:
    if _local(host):
        yield error("link-local", where, f'"{host}" is reached from inside only; give the public address')
    elif named:
        yield error("link-credentials", where, "the link holds a user name or password; take it out")
    elif host.removeprefix("www.") in _SHORTENERS:
        yield warning(
            "link-shortener", where, f"{host} hides where it leads, which filters punish; give the full address"
        )
    elif scheme == "http":
        yield warning(
            "link-insecure", where, f"the link to {host} begins with http://; write https:// if the site has it"
        )


def _local(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".lan")):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False
