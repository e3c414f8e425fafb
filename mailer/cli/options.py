"""Arguments and options that several commands take alike, and what they come down to."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mailer.app import App

Issue = Annotated[str, typer.Argument(help="The issue's folder, as in 2026-12.")]
Segments = Annotated[list[str] | None, typer.Option("--segment", help="Only this segment; again for others.")]
By = Annotated[str | None, typer.Option("--by", help="Who orders it; your login name if left out.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


def chosen_segments(app: "App", chosen: list[str] | None) -> list[str]:
    """
    The segments named, in the config's order; all of them if none is.

    Raises:
        Refused: The config has no such segment.

    """
    from mailer.errors import Refused

    known = list(app.config.segments)
    for name in chosen or []:
        if name not in known and name in app.register.rules():
            raise Refused(
                f"the rule {name} has no edition of its own; give it one in {app.loaded.path.name}: "
                f"[segments.NAME] with a title and rule = 'segment = \"{name}\"'"
            )
        if name not in known:
            raise Refused(f'there is no segment "{name}"; {app.loaded.path.name} has {", ".join(known)}')
    return [name for name in known if not chosen or name in chosen]


def demand_yes(question: str, *, yes: bool) -> None:
    """
    Ask before something that can't be taken back, unless `--yes` has answered.

    Raises:
        Refused: The answer is no, or there is nobody to answer.

    """
    from mailer.errors import Refused

    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} There is nobody to answer; add --yes")
    if not typer.confirm(question, err=True):
        raise Refused("nothing was done")
