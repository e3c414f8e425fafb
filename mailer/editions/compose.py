"""
★ The front door of this stage: an issue and the templates in, frozen editions out.

An edition is compiled once for a language and a segment. What differs from reader to reader stays open as slots.
"""

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from mjml import mjml2html

from mailer.editions.columns import hold_columns
from mailer.editions.edition import SLOT, SLOTS, Compiled, Edition, Image, Imprint
from mailer.editions.inline import inline, take_inline_styles
from mailer.editions.mjml_lint import lint
from mailer.editions.page import Page, lay_out
from mailer.editions.plain_text import opening, plain_text, reason
from mailer.editions.templates import MARK, Templates
from mailer.errors import AuthorError
from mailer.issues import Issue
from mailer.language import SOURCE, words

# The segment of an edition that nobody is sent: no segment can be called so.
PUBLIC: Final = ""
# Without these a message could not be left, nor read where the mail client fails.
NEEDED: Final = frozenset({"unsubscribe_url", "preferences_url", "web_url"})


def compose(
    issues: Iterable[Issue],
    segments: Mapping[str, Mapping[str, str]],
    *,
    imprint: Imprint,
    templates: Path,
    picture: Callable[[Path, int], Image],
    theme: Path | None = None,
    cache: Path | None = None,
) -> Compiled:
    """
    Compile an issue, given once a language, for every segment (name -> title per language).

    The first of the issues is the one that the others translate; `theme` is a file of tokens in place of the
    templates' own; in the folder `cache` templates are kept compiled. The same input gives the same bytes anywhere.

    Raises:
        AuthorError: A template, the theme or the content can't be used; names file and line.

    """
    issues = list(issues)
    workshop = _Workshop(imprint, Templates(templates, theme, kept=cache), functools.cache(picture))
    editions = tuple(
        workshop.edition(issue, segment, titles) for issue in issues for segment, titles in segments.items()
    )
    # What is for some alone is left out for the public; where nothing is, any edition is what all of them get.
    public = tuple(
        workshop.edition(issue, PUBLIC, {})
        for issue in issues
        if any(section.segments or any(each.segments for each in section.articles) for section in issue.sections)
    )
    content_hash = _hash(*(edition.hash for edition in editions))
    return Compiled(issue=issues[0].name, content_hash=content_hash, editions=editions, public=public)


class _Workshop:
    """What all editions are made with; `edition` is the order of the steps."""

    def __init__(self, imprint: Imprint, templates: Templates, picture: Callable[[Path, int], Image]) -> None:
        self._imprint = imprint
        self._templates = templates
        self._picture = picture

    def edition(self, issue: Issue, segment: str, titles: Mapping[str, str]) -> Edition:
        """
        Compile one edition, step by step.

        Raises:
            AuthorError: As `compose`.

        """
        page = self._page(issue, segment, titles.get(issue.language) or titles.get(SOURCE) or segment)
        marked = _fill(page, self._imprint, self._templates)
        lint(marked)
        mjml = tidy(MARK.sub("", marked))
        raw, css = to_html(mjml)
        html = _unwhitened(hold_columns(inline(raw, css)), self._templates.theme.light.ink)
        text = plain_text(page, self._imprint, words(page.language))
        _check_slots(html, text, issue)
        return _sealed(
            Edition(
                issue=issue.name,
                language=issue.language,
                segment=segment,
                subject=issue.subject,
                preheader=issue.preheader,
                html=html,
                text=text,
                mjml=mjml,
                images=page.images,
                files=page.files,
            )
        )

    def _page(self, issue: Issue, segment: str, title: str) -> Page:
        theme, mark = self._templates.theme, self._templates.wordmark
        return lay_out(
            issue,
            segment,
            title,
            imprint=self._imprint,
            picture=lambda path: self._picture(path, theme.shape.width),
            wordmark=self._picture(mark, theme.wordmark.width) if mark else None,
        )


def to_html(mjml: str) -> tuple[str, str]:
    """
    MJML as mjml-python draws it, and the CSS that is still to be inlined.

    Raises:
        AuthorError: mjml-python refuses it.

    """
    bare, css = take_inline_styles(mjml)
    try:
        return str(mjml2html(bare)), css
    except ValueError as problem:
        raise _refused(str(problem), bare) from None


def _unwhitened(html: str, ink: str) -> str:
    """The hidden preheader in the text's colour: MJML hides it in white on white too, which spam filters count."""
    return html.replace("font-size:1px;color:#ffffff;", f"font-size:1px;color:{ink};", 1)


def _refused(problem: str, mjml: str) -> AuthorError:
    """mjml-python names bytes, if anything: find the line."""
    place = re.search(r"position (\d+)", problem)
    line = mjml.encode()[: int(place[1])].count(b"\n") + 1 if place else None
    found = f', at "{mjml.splitlines()[line - 1].strip()}"' if line else ""
    return AuthorError(f"mjml-python refuses the MJML: {problem}{found}", "generated.mjml", line)


def tidy(mjml: str) -> str:
    """
    The MJML without the indents and empty lines that template tags leave behind.

    Not for beauty alone: mjml-python refuses a head in which spaces follow `</mj-raw>`; a line break may.
    """
    mjml = re.sub(r"(?<=</mj-raw>)\s+", "\n", mjml)
    return "\n".join(line.strip() for line in mjml.splitlines() if line.strip()) + "\n"


def _fill(page: Page, imprint: Imprint, templates: Templates) -> str:
    translate = words(page.language)
    return templates.fill(
        translate=translate,
        page=page,
        imprint=imprint,
        opening=opening(page, translate),
        reason=reason(page, translate),
    )


def _check_slots(html: str, text: str, issue: Issue) -> None:
    for part, content in (("HTML", html), ("text", text)):
        found = set(SLOT.findall(content))
        if unknown := sorted(found - SLOTS):
            known = ", ".join(f"@@{slot}@@" for slot in sorted(SLOTS))
            raise AuthorError(f"@@{unknown[0]}@@ is no slot; there are {known}", issue.where())
        if missing := sorted(NEEDED - found):
            raise AuthorError(f"the {part} has no @@{missing[0]}@@; the footer's templates must set it", issue.where())


def _sealed(edition: Edition) -> Edition:
    """The edition with its hash: over everything that can change a byte of a message, and nothing of the machine."""
    texts = (edition.issue, edition.language, edition.segment, edition.subject, edition.preheader)
    pictures = (f"{image.name} {hashlib.sha256(image.content).hexdigest()}" for image in edition.images)
    files = (file.name for file in edition.files)
    return msgspec.structs.replace(edition, hash=_hash(*texts, edition.html, edition.text, *pictures, *files))


def _hash(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
