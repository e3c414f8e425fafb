"""`mailer institutions …`: what each is, where, and who holds a post there."""

from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.options import By
from mailer.cli.presenting import operator

group = typer.Typer(
    help="The institutions that people of the register are at: kind, place, posts.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The institution's name, as the lists write it.")]


@group.command("list")
def list_(
    context: typer.Context,
    *,
    kind: Annotated[str, typer.Option(help="Only of this kind: embassy, municipality, …")] = "",
    as_json: bool = JSON,
) -> None:
    """List the institutions, each with its kind, its place and how many people are there."""
    found = house(context).register.institutions(kind=kind)
    if as_json:
        print_json(found)
        return
    rows = (
        (each.name, each.kind, each.country, each.canton or each.province, each.people, "by hand" * each.is_by_hand)
        for each in found
    )
    table(("institution", "kind", "country", "place", "people", ""), rows, figures=(4,))


@group.command()
def show(context: typer.Context, name: Name, as_json: bool = JSON) -> None:
    """Show an institution: what it is, who holds a post there, and who did before."""
    import msgspec

    from mailer.errors import Refused

    register = house(context).register
    found = register.institutions(name=name)
    if not found:
        raise Refused(f"there is no institution {name!r}; `mailer institutions list` names them")
    posts = register.posts_at(name)
    if as_json:
        print_json(msgspec.structs.asdict(found[0]) | {"posts": posts})
        return
    for field in ("name", "kind", "country", "province", "canton"):
        print(f"{field:10} {getattr(found[0], field)}".rstrip())
    for post in posts:
        until = f"  (until {post.until:%Y-%m-%d}, then {post.successor or 'nobody'})" if post.until else ""
        print(f"{'post':10} {post.position or '—'}  {post.email}  {post.name}".rstrip() + until)


@group.command("set")
def set_(
    context: typer.Context,
    name: Name,
    *,
    kind: Annotated[str, typer.Option(help="embassy, consulate, municipality, prefecture, …")],
    country: Annotated[str, typer.Option(help="A country's name or code.")] = "",
    province: Annotated[str, typer.Option(help="Of Ecuador.")] = "",
    canton: Annotated[str, typer.Option(help="Of that province.")] = "",
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Say what an institution is, where its name tells it wrongly; no list changes it then."""
    from mailer.audience.institution import placed

    place = placed(name, kind=kind, country=country, province=province, canton=canton)
    house(context).register.set_institution(place, who=by or operator())
    if as_json:
        print_json(place)
    else:
        where = ", ".join(part for part in (place.canton, place.province, place.country) if part)
        say(f"{name}: {kind}{f', {where}' if where else ''}.")
