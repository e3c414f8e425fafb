"""Draws the pages: Jinja2 over `templates/pages/`, in the language of the one who looks."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mailer.config import Config
from mailer.editions.theme import Theme
from mailer.editions.theme_css import theme_css
from mailer.language import words
from mailer.web import speech


class Pages:
    """All templates, and what they all know: the publication, its theme, its segments, the languages."""

    def __init__(self, folder: Path, config: Config, theme: Theme) -> None:
        self.config = config
        self.environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            autoescape=lambda name: not str(name).endswith(".txt"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals["publication"] = config.publication
        self.environment.globals["tracking"] = config.feedback.tracking
        self.environment.globals["theme"] = theme
        self.environment.globals["theme_css"] = Markup(theme_css(theme))  # noqa: S704 - the publisher's own file
        self.environment.globals["languages"] = {"es": "Español", "en": "English"}
        self.environment.globals["public_url"] = config.publication.public_url.rstrip("/")

    def language(self, request: Request, own: str = "") -> str:
        """The language to answer in; `own` is the reader's, where a token tells who reads."""
        return speech.choose(
            request.query_params.get("lang", ""),
            own,
            accept=request.headers.get("accept-language", ""),
            otherwise=self.config.publication.language,
        )

    def title(self, segment: str, language: str) -> str:
        """What a segment is called for its readers."""
        known = self.config.segments.get(segment)
        if known is None:
            return segment
        return known.title.get(language) or known.title.get(self.config.publication.language) or segment

    def open_segments(self) -> tuple[str, ...]:
        """The segments that readers may join by themselves, in the config's order."""
        return tuple(name for name, segment in self.config.segments.items() if segment.open and not segment.rule)

    def show(
        self, request: Request, name: str, *, status: int = 200, own_language: str = "", **values: Any
    ) -> HTMLResponse:
        """The page `name` with these values, in the language of the one who looks."""
        language = self.language(request, own_language)
        path = request.url.path
        html = self.text(name, language, path=path, here=f"{path}?lang={language}", nonce=request.state.nonce, **values)
        headers = {"Content-Language": language, "Vary": "Accept-Language"}
        return HTMLResponse(html, status_code=status, headers=headers)

    def text(self, name: str, language: str, **values: Any) -> str:
        """A template as text in this language."""
        zone = ZoneInfo(self.config.publication.timezone)

        def day(instant: datetime, style: str = "long") -> str:
            return format_date(instant.astimezone(zone), style, locale=language)

        def moment(instant: datetime) -> str:
            local = instant.astimezone(zone)
            return f"{format_skeleton('MMMMd', local, locale=language)}, {local:%H:%M}"

        return self.environment.get_template(name).render(
            _=words(language),
            language=language,
            day=day,
            moment=moment,
            title=lambda name: self.title(name, language),
            **values,
        )
