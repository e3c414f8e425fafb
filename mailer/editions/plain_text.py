"""The text part: the same page for readers without HTML, wrapped, its links numbered and listed at the end."""

import textwrap

from mailer.editions.edition import Imprint
from mailer.editions.page import Page, Part, Piece
from mailer.issues.markdown import to_text
from mailer.language import Words

WIDTH = 72
_HARD_RULE = "=" * WIDTH


def plain_text(page: Page, imprint: Imprint, translate: Words) -> str:
    """The page as text of at most 72 columns; only an address may be longer."""
    writer = _Writer(translate)
    writer.masthead(page)
    for part in page.parts:
        writer.part(part)
    writer.links_list()
    writer.footer(page, imprint)
    return "\n\n".join(block for block in writer.blocks if block) + "\n"


class _Writer:
    def __init__(self, translate: Words) -> None:
        self.blocks: list[str] = []
        self.translate = translate
        self.links: list[str] = []

    def add(self, *texts: str) -> None:
        self.blocks.extend(_wrap(text) for text in texts if text)

    def masthead(self, page: Page) -> None:
        month = page.month_name.upper()
        number = self.translate("N.º {number}", number=page.number)
        self.blocks.append(f"{self.translate('Ver en el navegador')}:\n@@web_url@@")
        self.add(page.office, page.department)
        self.blocks.append(_underlined(page.title, "="))
        self.add(page.tagline, month, f"{page.month.year} · {number}", "@@greeting@@" + self.translate(":"))
        self.add(opening(page, self.translate))
        if page.sdgs:
            names = [f"{goal.number} {goal.name(page.language)}" for goal in page.sdgs]
            self.blocks.append("\n".join([f"{self.translate('Objetivos de Desarrollo Sostenible')}:", *names]))
        if page.contents:
            entries = " · ".join(entry.title for entry in page.contents)
            self.add(f"{self.translate('En este número')}: {entries}")

    def part(self, part: Part) -> None:
        if part.title:
            self.blocks.append(f"\n{_HARD_RULE}\n{_wrap(part.title)}\n{_HARD_RULE}")
        self.add(part.label)
        self.add(part.figure if part.figure not in part.title else "")
        self.blocks.append(to_text(part.intro, WIDTH) if part.intro else "")
        self._goals(part.sdgs)
        for piece in part.pieces:
            self.piece(piece, numbered=part.layout == "routes")

    def piece(self, piece: Piece, *, numbered: bool) -> None:
        title = f"{piece.number}. {piece.title}" if numbered else piece.title
        self.blocks.append("\n" + _underlined(title, "-"))
        when = piece.when.told if piece.when else ""
        self.add(" · ".join(filter(None, [piece.label, when, piece.place, piece.tag, piece.figure])))
        self.add(piece.note)
        if piece.picture:
            self.add(f"[{self.translate('Imagen')}: {piece.picture.alt}]")
        self.blocks.append(to_text(piece.body, WIDTH) if piece.body else "")
        if piece.button:
            weight = f" ({' · '.join(filter(None, [piece.document, piece.weight]))})" if piece.document else ""
            self._link(piece.button.label + weight, piece.button.url)
        if piece.when and piece.when.url:
            self._link(self.translate("Añadir al calendario"), piece.when.url)
        self._goals(piece.sdgs)

    def _link(self, label: str, url: str) -> None:
        self.links.append(url)
        self.add(f"{label} [{len(self.links)}]")

    def _goals(self, sdgs: tuple[object, ...]) -> None:
        if sdgs:
            numbers = ", ".join(str(getattr(goal, "number", "")) for goal in sdgs)
            self.add(f"{self.translate('ODS')} {numbers}")

    def links_list(self) -> None:
        if self.links:
            listed = [f"[{number}] {url}" for number, url in enumerate(self.links, 1)]
            self.blocks.append("\n".join([f"\n{self.translate('Enlaces')}", *listed]))

    def footer(self, page: Page, imprint: Imprint) -> None:
        lines = [imprint.name, imprint.publisher, imprint.organization, imprint.postal_address]
        self.blocks.append("\n".join([f"\n{_HARD_RULE}", *map(_wrap, lines)]))
        self.add(reason(page, self.translate))
        if page.paper:
            self.blocks.append(f"{self.translate('Leer en PDF')}:\n{page.paper}")
        self.blocks.append(f"{self.translate('Cambiar mis preferencias')}:\n@@preferences_url@@")
        self.blocks.append(f"{self.translate('Darme de baja')}:\n@@unsubscribe_url@@")


def opening(page: Page, translate: Words) -> str:
    """The sentence below the greeting."""
    text = "Nos es grato compartir con usted la gestión internacional de {month}."
    return translate(text, month=page.month_name)


def reason(page: Page, translate: Words) -> str:
    """Why the reader gets this."""
    return translate("Recibe este mensaje porque consta en nuestra lista «{segment}».", segment=page.segment_title)


def _wrap(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _underlined(title: str, line: str) -> str:
    wrapped = _wrap(title)
    return f"{wrapped}\n{line * max(map(len, wrapped.splitlines()))}"
