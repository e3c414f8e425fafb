"""The issues that went out, made anonymous: what stands in the mail, without what was one reader's own."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from html import escape
from typing import Final

import msgspec

from mailer.audience.greeting import greeting
from mailer.audience.recipient import Recipient
from mailer.editions.edition import SLOT, Compiled, Edition
from mailer.editions.printing import printable
from mailer.editions.theme import Theme
from mailer.language import words
from mailer.storage.published import Publication, Published
from mailer.web.holdings import Contents, Holdings
from mailer.web.speech import marked

# What an anonymous page offers in the place of each link that was the reader's own.
_INSTEAD: Final = {
    "unsubscribe_url": ("/privacy", marked("Privacidad")),
    "preferences_url": ("/subscribe", marked("Suscribirse")),
    "web_url": ("/", marked("Todas las ediciones")),
}
# From so many versions on an issue was corrected.
_CORRECTED: Final = 2
_VERSION: Final = marked("versión {number}, del {day}")
_BODY: Final = re.compile(r"<body\b[^>]*>")
_NOTE: Final = (
    "margin:0;padding:12px 20px;background:{theme.light.paper};color:{theme.light.ink};text-align:center;"
    "border-bottom:3px solid {theme.light.sun};font:{theme.type.small} {theme.type.sans}"
)
_OWN_LINK: Final = re.compile(r'<a\b([^>]*)href="@@(\w+_url)@@"([^>]*)>.*?</a>', re.DOTALL)
_ARTICLE: Final = re.compile(r'<div\b[^>]*\brole="article"[^>]*>')
# Landmarks of their own in a mail; on a page they would stand within the main part, where they may not (WAI-ARIA 1.2).
_LANDMARK: Final = re.compile(r'<div role="(?:banner|contentinfo)">')
_HEAD: Final = """<link rel="icon" href="data:,">
<link rel="canonical" href="{url}">
<meta name="description" content="{about}">
<meta property="og:type" content="article"><meta property="og:title" content="{title}">
<meta property="og:description" content="{about}"><meta property="og:url" content="{url}">
<meta property="og:locale" content="{language}"><meta name="twitter:card" content="summary_large_image">{picture}
<script type="application/ld+json">{told}</script>
</head>"""


class Entry(msgspec.Struct, frozen=True):
    """An issue as the archive lists it; what went out last has that hash."""

    name: str
    content_hash: str
    month: str
    year: str
    subject: str
    preheader: str
    published_at: datetime


class Newsstand:
    """Finds and lays out what may be read."""

    def __init__(
        self,
        published: Published,
        holdings: Holdings,
        *,
        public_url: str,
        title: Callable[[str, str], str],
        name: str,
        theme: Theme,
    ) -> None:
        self.published = published
        self.holdings = holdings
        self.name = name
        self.public_url = public_url.rstrip("/")
        self.title = title
        self._note = escape(_NOTE.format(theme=theme))

    def entries(self, language: str) -> list[Entry]:
        """The archive, the newest first."""
        listed = [(each, self.holdings.contents(each.content_hash)) for each in self.published.issues()]
        return [_entry(publication, contents, language) for publication, contents in listed if contents]

    def edition(self, issue: str, language: str, segment: str = "") -> Edition | None:
        """
        The edition of a published issue in a language, or the one there is.

        Without a segment it is what anybody may read.
        """
        compiled = self._sent(issue)
        if compiled is None:
            return None
        if segment:
            known = {edition.segment for edition in compiled.editions}
            return compiled.edition(segment, language) if segment in known else None
        return self.public(issue, language)[0]

    def public(self, issue: str, language: str) -> list[Edition]:
        """
        What anybody may read of a published issue in each of its languages, that language's first.

        That is every article but those for some segments alone: whom they are for reads them at the address of their
        own edition, which stands in their mail and in no index.
        """
        compiled = self._sent(issue)
        shown: dict[str, Edition] = {}
        for edition in (compiled.public or compiled.editions) if compiled else ():
            shown.setdefault(edition.language, edition)
        return sorted(shown.values(), key=lambda edition: edition.language != language)

    def version(self, issue: str, number: int, language: str) -> Edition | None:
        """What anybody might read of an issue as it went out the first, the second, the nth time."""
        hashes = [content_hash for content_hash, _ in self.published.versions(issue)]
        compiled = self.holdings.compiled(hashes[number - 1]) if 1 <= number <= len(hashes) else None
        editions = (compiled.public or compiled.editions) if compiled else ()
        return next((edition for edition in editions if edition.language == language), None)

    def _sent(self, issue: str) -> Compiled | None:
        hashes = [publication.content_hash for publication in self.published.issues() if publication.issue == issue]
        return self.holdings.compiled(hashes[0]) if hashes else None

    def page(self, edition: Edition, path: str = "") -> str:
        """The edition's HTML with nothing of one reader in it; `path` is where it is read, if not at the issue's."""
        say = words(edition.language)
        nobody = Recipient(subscriber_id=0, email="", segment=edition.segment, language=edition.language)
        slots = {"greeting": escape(greeting(nobody)), "institution": ""}
        html = _OWN_LINK.sub(lambda link: _public_link(link, edition.language), edition.html)
        html = SLOT.sub(lambda slot: slots.get(slot[1], "/"), html)
        # The furniture of the mail says why one reader gets it; here that is nobody.
        why = say("Recibe este mensaje porque consta en nuestra lista «{segment}».", segment=self._title(edition))
        html = html.replace(
            escape(why, quote=False), escape(say(marked("Edición pública, tal como se envió por correo.")))
        )
        html = html.replace(f'"{self.public_url}/', '"/')
        url = self.public_url + (path or f"/brief/{edition.issue}/")
        html = _ARTICLE.sub(_as_main, _LANDMARK.sub("<div>", html), count=1)
        html = printable(html).replace("</head>", self._head(edition, url), 1)
        return _BODY.sub(lambda body: body[0] + self._versions(edition), html, count=1)

    def _head(self, edition: Edition, url: str) -> str:
        """What search engines and those that show links read: Open Graph and schema.org's words for a newsletter."""
        first = next((image for image in edition.images), None)
        shown = f"{self.public_url}/images/{first.name}" if first else ""
        told = {
            "@context": "https://schema.org",
            "@type": "PublicationIssue",
            "name": edition.subject,
            "description": edition.preheader,
            "inLanguage": edition.language,
            "issueNumber": edition.issue,
            "url": f"{self.public_url}/brief/{edition.issue}/",
            "isPartOf": {"@type": "Periodical", "name": self.name, "url": f"{self.public_url}/"},
        } | ({"image": shown} if shown else {})
        return _HEAD.format(
            url=escape(url),
            about=escape(edition.preheader),
            title=escape(edition.subject),
            language=escape(edition.language),
            picture=f'\n<meta property="og:image" content="{escape(shown)}">' if shown else "",
            # Within a script nothing is escaped: no sentence may end it.
            told=json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"),
        )

    def _versions(self, edition: Edition) -> str:
        """Of an issue that went out again, corrected: that it did, and where the earlier versions are."""
        dates = self.published.versions(edition.issue)
        shown = [at for content_hash, at in dates if self._holds(content_hash, edition)]
        if len(dates) < _CORRECTED or not shown:
            return ""
        say = words(edition.language)
        links = " · ".join(
            _version_link(edition, number, say(_VERSION, number=number, day=say.days(at.date(), at.date())))
            for number, (_, at) in enumerate(dates, 1)
            if at != shown[0]
        )
        newest = shown[0] == dates[-1][1]
        told = say(marked("Este número se corrigió.")) if newest else say(marked("Esta versión se corrigió después."))
        return f'<p style="{self._note}">{escape(told)} {escape(say(marked("Otras versiones:")))} {links}</p>'

    def _holds(self, content_hash: str, edition: Edition) -> bool:
        contents = self.holdings.contents(content_hash)
        return contents is not None and edition.hash in contents.editions

    def _title(self, edition: Edition) -> str:
        return self.title(edition.segment, edition.language)


def _public_link(link: re.Match[str], language: str) -> str:
    before, slot, after = link.groups()
    path, text = _INSTEAD.get(slot, ("/", marked("Todas las ediciones")))
    return f'<a{before}href="{path}?lang={language}"{after}>{escape(words(language)(text))}</a>'


def _version_link(edition: Edition, number: int, told: str) -> str:
    return f'<a href="/brief/{escape(edition.issue)}/v{number}/{escape(edition.language)}">{escape(told)}</a>'


def _as_main(opening: re.Match[str]) -> str:
    """What a mail program calls an article is the main part of a page, and all the rest stands within it."""
    return opening[0].replace('role="article"', 'role="main"').replace(' aria-roledescription="email"', "")


def _entry(publication: Publication, contents: Contents, language: str) -> Entry:
    shown = contents.heading(language)
    year, _, month = publication.issue.partition("-")
    is_month = year.isdigit() and month.isdigit() and 1 <= int(month) <= 12  # noqa: PLR2004 - a year's months
    return Entry(
        name=publication.issue,
        content_hash=publication.content_hash,
        month=words(language).month(date(int(year), int(month), 1)) if is_month else publication.issue,
        year=year if is_month else str(publication.published_at.year),
        subject=shown.subject,
        preheader=shown.preheader,
        published_at=publication.published_at,
    )
