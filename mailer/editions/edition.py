"""An edition: an issue rendered once for a language and a segment, with slots left open, frozen and hashed."""

import re
from typing import Final

import msgspec

# Slots survive MJML, premailer and quoted-printable; personalise fills them and nothing else.
SLOT: Final = re.compile(r"@@([a-z_]+)@@")
SLOTS: Final = frozenset({"greeting", "institution", "unsubscribe_url", "preferences_url", "web_url"})


class Image(msgspec.Struct, frozen=True):
    """A mail-safe picture: its bytes under a name made of their hash, so that equal pictures are one."""

    name: str
    media_type: str
    width: int
    height: int
    content: bytes
    # What most of it looks like: the place's ground until the picture is there.
    colour: str = "#FFFFFF"


class Enclosure(msgspec.Struct, frozen=True):
    """A file that readers may fetch, a document or a date for their calendar, under a name that holds its hash."""

    name: str
    media_type: str
    content: bytes


class Imprint(msgspec.Struct, frozen=True):
    """Who publishes, as every edition's masthead and footer say it, and where readers reach the web edition."""

    name: str
    publisher: str
    organization: str
    postal_address: str
    public_url: str
    timezone: str = "America/Guayaquil"
    # Whether editions lead to a PDF of themselves.
    pdf: bool = False

    def place(self, issue: str, article: str) -> str:
        """
        The URL of an article's place in the web edition; a button that leads to `#` goes there.

        >>> Imprint("", "", "", "", "https://quito.example/").place("2022-11", "asamblea")
        'https://quito.example/brief/2022-11/#asamblea'
        """
        return f"{self.public_url.rstrip('/')}/brief/{issue}/#{article}"

    def paper(self, issue: str, language: str) -> str:
        """The URL of an issue's PDF edition."""
        return f"{self.public_url.rstrip('/')}/brief/{issue}/{issue}.{language}.pdf"

    def picture(self, image: Image) -> str:
        """The URL under which the web edition serves a picture."""
        return f"{self.public_url.rstrip('/')}/images/{image.name}"

    def file(self, enclosure: Enclosure) -> str:
        """The URL under which the web edition serves a document or a calendar's date."""
        return f"{self.public_url.rstrip('/')}/files/{enclosure.name}"


class Edition(msgspec.Struct, frozen=True):
    """
    What the readers of one segment get in one language, the same for all of them but for the slots.

    `html` names pictures by the URL under which the web edition serves them: `<public_url>/images/<name>`.
    """

    issue: str
    language: str
    segment: str
    subject: str
    preheader: str
    html: str
    text: str
    mjml: str
    images: tuple[Image, ...] = ()
    files: tuple[Enclosure, ...] = ()
    hash: str = ""


class Compiled(msgspec.Struct, frozen=True):
    """
    All editions of an issue, and one hash over everything in them that can change a byte.

    `public` holds one a language without what is for some segments alone, if anything is: what anybody may read.
    """

    issue: str
    content_hash: str
    editions: tuple[Edition, ...]
    public: tuple[Edition, ...] = ()

    def edition(self, segment: str, language: str) -> Edition:
        """The edition for a reader of `segment` who reads `language`; the issue's first language if there is none."""
        of_segment = [edition for edition in self.editions if edition.segment == segment]
        return next((edition for edition in of_segment if edition.language == language), of_segment[0])


class Finding(msgspec.Struct, frozen=True):
    """One thing `check` has to say: `code` names the rule, `where` is `file:line`, `message` says what to do."""

    code: str
    where: str
    message: str


class Waived(msgspec.Struct, frozen=True):
    """A rule that the config turns off, how often it would have spoken, and the reason given."""

    code: str
    count: int
    reason: str


class Report(msgspec.Struct, frozen=True):
    """What `check` found in an issue: errors block a send, warnings don't."""

    issue: str
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()
