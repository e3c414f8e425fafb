"""A theme: the design tokens of a set of templates, read from its `theme.toml`."""

import tomllib
from pathlib import Path

import msgspec

from mailer.errors import AuthorError


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Measures in CSS pixels."""

    width: int
    gutter: int
    radius: int
    breakpoint: int


class Space(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """White space in CSS pixels: above a section, above an article."""

    section: int
    article: int


class Wordmark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The office's mark in the masthead: a picture beside the theme, so many CSS pixels wide, or none."""

    picture: str = ""
    width: int = 0


class Type(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Font stacks, and the scale as `size/leading`."""

    serif: str
    sans: str
    display: str
    lead: str
    section: str
    article: str
    body: str
    small: str
    label: str
    figure: str


class Palette(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Colours by what they are for, as `#RRGGBB`."""

    paper: str
    card: str
    ink: str
    quiet: str
    heading: str
    link: str
    accent: str
    hairline: str
    line: str
    stop: str
    action: str
    on_action: str
    field: str
    on_field: str
    quiet_on_field: str
    sun: str
    rule_on_field: str
    stripe: str

    def pairs(self) -> list[tuple[str, str]]:
        """Every text colour with the ground it is set on: each pair must be readable."""
        on_card = [self.ink, self.quiet, self.heading, self.link, self.accent]
        on_field = [self.on_field, self.quiet_on_field, self.sun]
        return [
            *((text, self.card) for text in on_card),
            *((text, self.paper) for text in on_card),
            *((text, self.field) for text in on_field),
            (self.on_action, self.action),
            (self.stop, self.line),
        ]


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All tokens of a set of templates."""

    shape: Shape
    space: Space
    type: Type
    light: Palette
    dark: Palette
    wordmark: Wordmark = Wordmark()

    @classmethod
    def load(cls, path: Path) -> "Theme":
        """
        Read a `theme.toml`.

        Raises:
            AuthorError: It is missing, no TOML, or a token is missing, unknown or of the wrong type.

        """
        name = f"{path.parent.name}/{path.name}"
        try:
            return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), cls)
        except OSError as problem:
            raise AuthorError(f"the theme can't be read ({problem.strerror})", name) from None
        except UnicodeDecodeError:
            raise AuthorError("the theme is not UTF-8; save it as UTF-8", name) from None
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
            raise AuthorError(f"the theme is not as it must be: {problem}", name) from None


def size(step: str) -> str:
    """
    The font size of a step of the scale.

    >>> size("16px/26px")
    '16px'
    """
    return step.partition("/")[0]


def leading(step: str) -> str:
    """
    The line height of a step of the scale.

    >>> leading("16px/26px")
    '26px'
    """
    return step.partition("/")[2]
