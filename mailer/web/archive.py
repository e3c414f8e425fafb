"""
★ The web edition and its archive as a folder of files that any web server can show: `build`.

The pages are those of `mailer serve`, drawn by the same templates; their links are made relative, so that the folder
may lie anywhere. What needs a server, such as joining, stays a link to the public address.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from posixpath import relpath
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from mailer.app import App
from mailer.editions.edition import Edition
from mailer.errors import OperatorError
from mailer.web import speech
from mailer.web.desk import Desk
from mailer.web.newsstand import Entry
from mailer.web.paper import paper
from mailer.web.reading import ROBOTS

_LINK: Final = re.compile(r'(?<=[\s"])(href|src|background)="([^"]*)"')
_ISSUE: Final = re.compile(r"/brief/([^/]+)/(?:[^/]+/)*[^/]*")
_PAPER: Final = re.compile(r"/brief/([^/]+)/\1\.([a-z]{2,3})\.pdf")
_VERSION: Final = re.compile(r"/brief/([^/]+)/v(\d+)/([a-z]{2,3})")
_NONCE: Final = ' nonce=""'


class Built(msgspec.Struct, frozen=True):
    """What was written: the issues, and every file by its path within the folder."""

    out: str
    issues: tuple[str, ...]
    files: tuple[str, ...]


def build(house: App, out: Path) -> Built:
    """
    Write everything that went out as a static site into the folder `out`; what else lies there stays.

    Raises:
        OperatorError: The folder can't be written.

    """
    try:
        return _Site(Desk(house), out).build()
    except OSError as problem:
        raise OperatorError(
            f"{out} can't be written ({problem.strerror or problem}); name another folder with --out"
        ) from None


class _Site:
    """One building of the site. A page is known by the path and the language that `mailer serve` shows it under."""

    def __init__(self, desk: Desk, out: Path) -> None:
        self.desk = desk
        self.out = out
        self.public_url = desk.newsstand.public_url
        self.home = speech.choose(desk.pages.config.publication.language)
        self.tongues = [self.home, *(each for each in speech.spoken() if each != self.home)]
        self.written: list[str] = []
        self.issues: dict[str, dict[str, Edition]] = {}

    def build(self) -> Built:
        """Write it all: the index last, so that it never names what isn't there yet."""
        changed = {entry.name: entry.published_at for entry in self.desk.newsstand.entries(self.home)}
        self.issues = {
            name: {each.language: each for each in self.desk.newsstand.public(name, self.home)} for name in changed
        }
        for name, editions in self.issues.items():
            for language in editions:
                self._write_issue(name, language)
        for language in self.tongues:
            self._write_pages(language)
        self._write("robots.txt", f"{ROBOTS}Sitemap: {self.public_url}/sitemap.xml\n")
        self._write("sitemap.xml", self._sitemap(changed))
        return Built(out=str(self.out), issues=tuple(self.issues), files=tuple(self.written))

    def _write_issue(self, name: str, language: str) -> None:
        file = self._file(f"/brief/{name}/", language)
        edition = self.issues[name][language]
        html = self.desk.newsstand.page(edition, f"/{_shown(file)}")
        self._write(file, self._linked(html, language, lambda target: relpath(target, str(Path(file).parent))))

    def _from(self, folder: str, issue: str, language: str) -> str:
        """Where an issue lies, in one of its languages, as seen from a folder of the site."""
        return relpath(self._file(f"/brief/{issue}/", language), folder)

    def _write_pages(self, language: str) -> None:
        entries = self.desk.newsstand.entries(language)
        years = [(year, list(issues)) for year, issues in groupby(entries, key=lambda entry: entry.year)]
        self._write_page("/privacy", "privacy.html", language)
        self._write_feed(entries, language)
        file = self._file("/search.js", language)
        self._write(file, self.desk.search.index(language, partial(self._from, str(Path(file).parent))))
        self._write_page("/", "archive.html", language, years=years)

    def _write_page(self, path: str, template: str, language: str, **values: object) -> None:
        file = self._file(path, language)
        html = self.desk.pages.text(template, language, path=path, here=path, nonce="", **values)
        html = html.replace(_NONCE, "")
        self._write(file, self._linked(html, language, lambda target: relpath(target, str(Path(file).parent))))

    def _write_feed(self, entries: list[Entry], language: str) -> None:
        updated = max((entry.published_at for entry in entries), default=self.desk.clock.now()).isoformat()
        xml = self.desk.pages.text("feed.xml", language, issues=entries, updated=updated)
        self._write(self._file("/feed.xml", language), self._linked(xml, language, self._public))

    def _sitemap(self, changed: dict[str, datetime]) -> str:
        found: list[tuple[str, datetime | None]] = [
            (self._public(self._file(path, each)), None) for path in ("/", "/privacy") for each in self.tongues
        ]
        for name, editions in self.issues.items():
            found += [(self._public(self._file(f"/brief/{name}/", each)), changed[name]) for each in editions]
        return self.desk.pages.text("sitemap.xml", self.home, pages=found)

    def _file(self, path: str, language: str) -> str:
        """Where the page lies: the publication's own language first, the others in folders of their own."""
        if paper := _PAPER.fullmatch(path):
            return self._printed(paper[1], paper[2])
        if version := _VERSION.fullmatch(path):
            return self._versioned(version[1], int(version[2]), version[3])
        if issue := _ISSUE.fullmatch(path):
            spoken = self.issues.get(issue[1], {})
            first = self.home if self.home in spoken else next(iter(spoken), "")
            own = "" if language == first or language not in spoken else f"{language}/"
            return f"brief/{issue[1]}/{own}index.html" if spoken else ""
        own = "" if language == self.home else f"{language}/"
        known = {
            "/": "index.html",
            "/privacy": "privacy/index.html",
            "/feed.xml": "feed.xml",
            "/search.js": "search.js",
        }
        return own + known[path] if path in known else ""

    def _printed(self, name: str, language: str) -> str:
        """Print the issue's PDF beside it, once; nothing where no browser can."""
        file = f"brief/{name}/{name}.{language}.pdf"
        edition = self.issues.get(name, {}).get(language)
        if file not in self.written and edition:
            content = paper(self.desk.newsstand, edition, self.desk.house.loaded.resolve("var/cache/pdf"))
            if content is None:
                return ""
            self._write(file, content)
        return file if edition else ""

    def _versioned(self, name: str, number: int, language: str) -> str:
        """Write an issue as it went out before it was corrected, once."""
        file = f"brief/{name}/v{number}/{language}/index.html"
        edition = self.desk.newsstand.version(name, number, language)
        if edition and file not in self.written:
            self.written.append(file)  # its own note leads to the others, and theirs to it
            html = self.desk.newsstand.page(edition, f"/{_shown(file)}")
            self._put(file, self._linked(html, language, lambda target: relpath(target, str(Path(file).parent))))
        return file if edition else ""

    def _linked(self, text: str, language: str, address: Callable[[str], str]) -> str:
        """The text with each link to a page or file of ours leading to where that lies, by way of `address`."""

        def lead(link: re.Match[str]) -> str:
            attribute, whole = link[1], unescape(link[2])
            target = whole.removeprefix(self.public_url) if whole.startswith(f"{self.public_url}/") else whole
            if not target.startswith("/") or target.startswith("//"):
                return link[0]
            parts = urlsplit(target)
            wished = parse_qs(parts.query).get("lang", [language])[-1]
            file = self._file(parts.path, wished) or self._enclosed(parts.path)
            fragment = f"#{parts.fragment}" if parts.fragment else ""
            found = address(file) + fragment if file else self.public_url + target
            return f'{attribute}="{escape(found)}"'

        return _LINK.sub(lead, text)

    def _enclosed(self, path: str) -> str:
        """Write the picture or document that a page shows at `path`, and say where it lies; nothing, if it is none."""
        kind, _, name = path.strip("/").partition("/")
        find = {"images": self.desk.newsstand.holdings.picture, "files": self.desk.newsstand.holdings.file}.get(kind)
        file = f"{kind}/{name}"
        if file in self.written:
            return file
        found = find(name) if find else None
        if found is None:
            return ""
        self._write(file, found.content)
        return file

    def _public(self, file: str) -> str:
        return f"{self.public_url}/{_shown(file)}"

    def _write(self, file: str, content: str | bytes) -> None:
        """Put a file in its place whole: the folder may be served while it is built."""
        self._put(file, content)
        self.written.append(file)

    def _put(self, file: str, content: str | bytes) -> None:
        path = self.out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.half")
        half.write_bytes(content.encode() if isinstance(content, str) else content)
        half.replace(path)


def _shown(file: str) -> str:
    """
    The path of a file as a web server shows it.

    >>> _shown("brief/2022-11/index.html")
    'brief/2022-11/'
    """
    return file.removesuffix("index.html")
