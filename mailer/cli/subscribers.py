"""`mailer subscribers …`: lists in, people shown, people leaving."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.options import By

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.audience.importing.importer import ListFile
    from mailer.audience.register import ImportOrder
    from mailer.audience.subscriber import Subscriber

group = typer.Typer(help="The register: import lists, look people up, let them leave.", no_args_is_help=True)

Segment = Annotated[str | None, typer.Option("--segment", help="Only this segment.")]
_LAST_NUMBER = (1 << 31) - 1
ImportId = Annotated[int, typer.Argument(min=1, max=_LAST_NUMBER)]


@group.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The list: csv, tsv, xlsx, xls or ods.")],
    number: Annotated[int | None, typer.Argument(hidden=True, min=1, max=_LAST_NUMBER)] = None,
    *,
    segment: Annotated[str, typer.Option("--segment", help="The segment that the list is of.")] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="A column by its heading or number, again for others."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    encoding: Annotated[str | None, typer.Option(help="If it isn't found rightly: utf-8, cp1252, …")] = None,
    separator: Annotated[str | None, typer.Option(help="If it isn't found rightly: ; , | or tab.")] = None,
    sheet: Annotated[
        str | None, typer.Option(help="The sheet of a workbook; the first with cells if left out.")
    ] = None,
    sync: Annotated[bool, typer.Option("--sync", help="Who isn't on the list leaves the segment.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Even if that is more than a fifth of it.")] = False,
    plan: Annotated[str, typer.Option(help="Do what this dry run announced, or nothing.")] = "",
    basis: Annotated[str, typer.Option(help="The legal ground: consent, public function or contract.")] = "",
    proof: Annotated[str, typer.Option(help="Where that ground can be seen.")] = "",
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Import a list into a segment: good rows go in, the others into a rejects file with the reason (and exit 1)."""
    from mailer.audience.importing.importer import ListFile
    from mailer.audience.register import ImportOrder
    from mailer.cli.presenting import operator

    if number is not None and str(file) == "undo":  # `import undo 7`, as people say it
        undo(context, number, by=by, as_json=as_json)
        return
    app = house(context)
    _require_name(file)
    list_segment(app, segment)
    mapped = _mapping(mapping)
    listed = ListFile(
        path=file,
        mapping=mapped,
        remembered=app.register.remembered_mapping(segment, file.name),
        encoding=encoding,
        separator=separator,
        sheet=sheet,
        language=app.config.publication.language,
    )
    order = ImportOrder(
        segment=segment,
        source=file.name,
        who=by or operator(),
        dry_run=dry_run,
        sync=sync,
        confirmed=yes,
        plan=plan,
        mapping=mapped,
        basis=basis,
        proof=proof,
    )
    _take_in(app, listed, order, as_json=as_json)


def _require_name(file: Path) -> None:
    from mailer.errors import Refused

    if str(file) == "undo" and not file.exists():
        raise Refused("say which import to undo, as in `import undo 7`; `mailer subscribers imports` lists them")
    if not str(file).isprintable():
        raise Refused(f"the name {str(file)!a} holds signs that can't be shown; give the file another")


def _take_in(app: "App", listed: "ListFile", order: "ImportOrder", *, as_json: bool) -> None:
    from mailer.audience.importing.importer import import_list
    from mailer.audience.register import ManyMissing, MovedOn
    from mailer.cli.accounting import put_aside, refused, told
    from mailer.cli.presenting import import_progress
    from mailer.errors import Refused

    try:
        with import_progress() as progress:
            account = import_list(listed, order, app.register, progress=progress)
    except (MovedOn, ManyMissing) as problem:
        raise Refused(refused(problem, order.segment, listed.language)) from None
    if as_json:
        print_json(account)
    else:
        for line in told(account, order.segment, listed.language, dry_run=order.dry_run):
            print(line)
    if account.rejects_file:
        raise Refused(put_aside(account, listed.language))


@group.command()
def imports(context: typer.Context, as_json: bool = JSON) -> None:
    """List the imports, the newest first."""
    records = house(context).register.imports()
    if as_json:
        print_json(records)
        return
    table(
        ("import", "when (UTC)", "segment", "list", "new", "changed", "removed", "by"),
        [
            (
                f"{each.id}{' undone' if each.undone_at else ''}",
                f"{each.at:%Y-%m-%d %H:%M}",
                each.segment,
                each.source,
                each.new,
                each.changed,
                each.removed,
                each.who,
            )
            for each in records
        ],
        figures=(4, 5, 6),
    )


@group.command(epilog="The same as `mailer subscribers import undo IMPORT_ID`.")
def undo(context: typer.Context, import_id: ImportId, by: By = None, as_json: bool = JSON) -> None:
    """Take one import back, keeping what people did since."""
    from mailer.cli.presenting import operator

    undone = house(context).register.undo(import_id, who=by or operator())
    if as_json:
        print_json(undone)
        return
    gone = "1 person" if undone.gone == 1 else f"{undone.gone} people"
    restored = "1 detail" if undone.restored == 1 else f"{undone.restored} details"
    kept = f"{undone.kept} kept because something happened since"
    say(f"Import {import_id} is undone: {gone} gone, {restored} as before, {kept}.")


@group.command("list")
def list_(context: typer.Context, segment: Segment = None, as_json: bool = JSON) -> None:
    """List everybody, or one segment."""
    from mailer.cli.presenting import print_json_lines

    app = house(context)
    if segment is not None:
        known_segment(app, segment)
    lines = app.register.lines(segment)
    if as_json:
        print_json_lines(lines)
        return
    for line in lines:
        mark = "" if line.deliverable else f"  ({line.state if line.state != 'active' else 'not written to'})"
        print(f"{line.email}  {line.name}  [{', '.join(line.segments)}]{mark}")


@group.command()
def show(context: typer.Context, address: str, as_json: bool = JSON) -> None:
    """Show a person: their details, segments, and what was done."""
    from mailer.errors import Refused

    app = house(context)
    register = app.register
    person = register.find(address)
    if person is None:
        raise Refused(f"nobody in the register has the address {address}; see `mailer subscribers list`")
    memberships, history = register.memberships(person.id), register.history(person.id)
    grounds = register.grounds(person.id)
    tags, posts = register.tags_of(person.id), register.posts_of(person.id)
    if as_json:
        import msgspec

        held = {"memberships": memberships, "grounds": grounds, "history": history}
        former = [msgspec.structs.asdict(post) | {"institution": institution} for institution, post in posts]
        print_json(msgspec.structs.asdict(person) | held | {"tags": tags, "former_posts": former})
        return
    for field in ("email", "name", "honorific", "position", "institution", "country", "language", "state"):
        print(f"{field:12} {getattr(person, field)}".rstrip())
    print(f"{'deliverable':12} {'yes' if person.deliverable else f'no: {_why_not(app, person)}'}")
    for each in memberships:
        print(f"{'segment':12} {each.segment}: {each.state} since {each.changed_at:%Y-%m-%d %H:%M} UTC")
    if tags:
        print(f"{'tags':12} {', '.join(tags)}")
    for institution, post in posts:
        print(f"{'post before':12} {post.position}, {institution}, until {post.until:%Y-%m-%d}; then {post.successor}")
    for ground in grounds:
        said = (ground.basis, ground.source, ground.text_version, ground.proof, f"(by {ground.who})")
        print(f"{'ground':12} {ground.at:%Y-%m-%d %H:%M} UTC  {'  '.join(part for part in said if part)}")
    for entry in history:
        print(f"{'history':12} {entry.at:%Y-%m-%d %H:%M} UTC  {entry.action}  {entry.detail}  (by {entry.who})")


def _why_not(app: "App", person: "Subscriber") -> str:
    """What keeps a person from being written to."""
    if person.state != "active":
        return person.state
    bars = app.suppressions.about(person.email)
    return f"suppressed ({', '.join(bar.reason for bar in bars)})" if bars else "paused by the reader"


@group.command()
def unsubscribe(
    context: typer.Context, address: str, segment: Segment = None, by: By = None, as_json: bool = JSON
) -> None:
    """Let a person leave everything, or one segment. No import brings them back."""
    from mailer.cli.presenting import operator

    app = house(context)
    if segment is not None:
        known_segment(app, segment)
    changed = app.register.unsubscribe(address, segment, who=by or operator())
    if as_json:
        print_json({"email": address, "segment": segment, "changed": changed})
    else:
        say(f"{address} has left {segment or 'everything'}." if changed else f"{address} had left already.")


def known_segment(app: "App", name: str) -> None:
    """Refuse a segment that the config doesn't name."""
    from mailer.errors import Refused

    if not name:
        raise Refused(f"say with --segment which one the list is of: {', '.join(app.config.segments)}")
    if name not in app.config.segments:
        raise Refused(f"there is no segment {name!r}; the config has {', '.join(app.config.segments)}")


def list_segment(app: "App", name: str) -> None:
    """Refuse a segment that no list can go into."""
    from mailer.errors import Refused

    known_segment(app, name)
    if app.config.segments[name].rule:
        raise Refused(f"{name} is a segment by rule, and holds whom its rule says; import the list into another")


def _mapping(pairs: list[str] | None) -> dict[str, str]:
    from mailer.errors import Refused

    mapping: dict[str, str] = {}
    for pair in pairs or []:
        field, equals, column = pair.partition("=")
        if not equals or not column.strip():
            raise Refused(f"--map {pair}: write it as FIELD=COLUMN, for example --map email=Contacto")
        mapping[field.strip().lower()] = column.strip()
    return mapping
