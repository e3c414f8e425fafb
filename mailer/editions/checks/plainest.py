"""The plainest issue that there can be: what stands in its HTML is the template's doing, and no author's."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from mailer.editions.compose import compose
from mailer.editions.edition import Image, Imprint
from mailer.issues.issue import ARTICLE_LAYOUTS, SECTION_LAYOUTS, Article, Button, Issue, Picture, Section

_BODY: Final = "Un texto **llano** con un [enlace](https://quito.example/).\n\n- uno\n- dos\n\n1. tres\n\n> cuatro"
_IMAGE: Final = Image("plain.png", "image/png", 1200, 675, b"")


def plainest_html(
    language: str,
    titles: Mapping[str, Mapping[str, str]],
    imprint: Imprint,
    templates: Path,
    theme: Path | None = None,
) -> str:
    """
    The templates filled with an article of every layout, each as plain as can be, in the theme that is used.

    Raises:
        AuthorError: A template can't be used.

    """
    first = dict(list(titles.items())[:1])
    compiled = compose(
        [_issue(language)],
        first,
        imprint=imprint,
        templates=templates,
        theme=theme,
        picture=lambda _path, _width: _IMAGE,
    )
    return compiled.editions[0].html


def _issue(language: str) -> Issue:
    sections = [
        Section("", "", "", 1, articles=tuple(_article(layout, layout or "none") for layout in ("", *ARTICLE_LAYOUTS))),
        *(
            Section(f"s-{layout}", "Sección", _BODY, 1, layout=layout, articles=(_article("", f"{layout}-a"),))
            for layout in ("", *SECTION_LAYOUTS)
        ),
    ]
    return Issue(
        name="2000-01",
        folder=Path(),
        language=language,
        title="Boletín",
        month=date(2000, 1, 1),
        number=1,
        subject="Asunto",
        preheader="Entrada",
        tagline="Lema",
        office="Oficina",
        department="Dirección",
        sdgs=(1, 2),
        sections=tuple(sections),
    )


def _article(layout: str, name: str) -> Article:
    return Article(
        id=f"a-{name}",
        title="Artículo",
        body=_BODY,
        line=1,
        layout=layout,
        label="Marca",
        place="Quito",
        tag="presencial",
        figure="0%",
        sdgs=(1, 2),
        picture=Picture("plain.png", "Una imagen", 1),
        button=Button("Leer", "https://quito.example/", 1),
    )
