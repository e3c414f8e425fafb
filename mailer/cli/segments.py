"""`mailer segments …`: how each stands, who fits a rule, which places are reached."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.options import By

if TYPE_CHECKING:
    from mailer.app import App

group = typer.Typer(
    help="Count the segments; try a rule; see which places a segment reaches.", invoke_without_command=True
)

_ALWAYS = {"subscribers", "deliverable", "unsubscribed", "suppressed"}
_KINDS = {
    "subscribers": "people",
    "deliverable": "deliverable",
    "unsubscribed": "left",
    "suppressed": "suppressed",
    "unconfirmed": "unconfirmed",
    "paused": "paused",
}
RULE = typer.Argument(help='A segment, or a rule such as: country in ["PE", "CO"] and not language = "es"')


@group.callback()
def segments(context: typer.Context, as_json: bool = JSON) -> None:
    """Count each segment: who can be written to, who left, who is suppressed."""
    if context.invoked_subcommand is not None:
        return
    import msgspec

    app = house(context)
    titles = {name: _title(app, name) for name in app.config.segments}
    counts = app.register.segment_counts(list(titles))
    if as_json:
        print_json([msgspec.structs.asdict(count) | {"title": titles[count.name]} for count in counts])
        return
    # What is nought everywhere has no column, but for what everybody looks for.
    kinds = [name for name in _KINDS if name in _ALWAYS or any(getattr(count, name) for count in counts)]
    rows = [(each.name, *(getattr(each, kind) for kind in kinds), titles[each.name]) for each in counts]
    table(("segment", *(_KINDS[kind] for kind in kinds), "title"), rows, figures=range(1, len(kinds) + 1))


@group.command()
def count(context: typer.Context, rule: Annotated[str, RULE], as_json: bool = JSON) -> None:
    """Count who fits a rule, and how they stand."""
    _show(context, rule, 0, as_json=as_json)


@group.command()
def preview(
    context: typer.Context,
    rule: Annotated[str, RULE],
    sample: Annotated[int, typer.Option(min=0, help="Show so many of them.")] = 20,
    as_json: bool = JSON,
) -> None:
    """Show who fits a rule: who would get a message, and who wouldn't and why."""
    _show(context, rule, sample, as_json=as_json)


@group.command()
def coverage(context: typer.Context, segment: str, as_json: bool = JSON) -> None:
    """Say which cantons, prefectures and embassies have nobody in the segment who can be written to."""
    from mailer.cli.subscribers import known_segment

    app = house(context)
    known_segment(app, segment)
    found = app.register.coverage(segment)
    if as_json:
        print_json(found)
        return
    for each in found:
        say(f"{each.what}: {each.reached} of {each.all} reached")
        if each.reached and each.missing:
            print(f"  without anybody: {', '.join(each.missing)}")


@group.command()
def rules(context: typer.Context, as_json: bool = JSON) -> None:
    """List the segments by rule: those of config.toml, and those that were given a name here."""
    app = house(context)
    known = app.register.rules()
    if as_json:
        print_json(
            [{"name": name, "rule": rule, "in_config": name in app.config.segments} for name, rule in known.items()]
        )
        return
    rows = [(name, "config.toml" if name in app.config.segments else "register", rule) for name, rule in known.items()]
    table(("name", "kept in", "rule"), rows)


@group.command()
def name(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it, in other rules and for --exclude.")],
    rule: Annotated[str, typer.Argument(help="The rule; an empty one takes the name away.")],
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Give a rule a name, so that other rules and `send --exclude` can say it."""
    import re

    from mailer.cli.presenting import operator
    from mailer.errors import Refused

    app = house(context)
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name):
        raise Refused(f"{name!r} is no name for a segment; use small letters, digits, - and _, as in andean-countries")
    if name in app.config.segments:
        raise Refused(f"{name} is a segment of {app.loaded.path.name}; choose another name")
    app.register.name_rule(name, rule, who=by or operator())
    if as_json:
        print_json({"name": name, "rule": rule})
    else:
        say(f"The rule is called {name} from now on." if rule else f"No rule is called {name} any more.")


def _show(context: typer.Context, rule: str, sample: int, *, as_json: bool) -> None:
    import re

    from mailer.audience.rules import parse_rule
    from mailer.errors import Refused

    app = house(context)
    known = app.register.rules()
    if re.fullmatch(r"[\w-]+", rule) and rule not in known and rule not in app.config.segments:
        raise Refused(f"there is no segment {rule!r}, and a rule compares something, such as country = PE")
    text = known.get(rule) or (f'segment = "{rule}"' if rule in app.config.segments else rule)
    found = app.register.fitting(parse_rule(text), sample, name=rule if rule in known else "")
    if as_json:
        import msgspec

        document = {"rule": text} | msgspec.structs.asdict(found)
        print_json(document if sample else {key: value for key, value in document.items() if key != "sample"})
        return
    say("1 person fits:" if found.people == 1 else f"{found.people:,} people fit:")
    for standing, many in sorted(found.standing.items()):
        print(f"  {many:>8,}  {standing}")
    for each in found.sample:
        print(f"  {each['email']}  {'' if each['standing'] == 'deliverable' else each['standing']}".rstrip())


def _title(app: "App", name: str) -> str:
    title = app.config.segments[name].title
    return title.get(app.config.publication.language) or next(iter(title.values()), name)
