"""`mailer register …`: what the register may keep, and what it says of itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mailer.cli.console import JSON, house, print_json, say, say_marked
from mailer.cli.options import By
from mailer.cli.presenting import operator

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

group = typer.Typer(
    help="Keep the register no longer than it may be kept, and say what is in it.", no_args_is_help=True
)

_SPANISH: Final = {
    "title": "Actividades de tratamiento de datos personales",
    "shrunk": "De {people} personas que se dieron de baja hace más de {days} días queda solo un sello.",
    "would shrink": "De {people} personas que se dieron de baja hace más de {days} días quedaría solo un sello.",
    "controller": "responsable",
    "responsible": "a cargo",
    "contact": "contacto",
    "purpose": "finalidad",
    "to send the publication by e-mail": "enviar la publicación por correo electrónico",
    "data": "datos",
    "address": "dirección",
    "name": "nombre",
    "honorific": "tratamiento",
    "position": "cargo",
    "institution": "institución",
    "country": "país",
    "language": "idioma",
    "tags": "etiquetas",
    "clicks": "enlaces que siguió quien lo permitió",
    "recipients_of_data": "destinatarios de los datos",
    "the publication's own mail service; nobody else": "el servicio de correo de la publicación; nadie más",
    "kept_after_leaving_days": "días que se guardan tras la baja",
    "segments": "segmentos",
    "at": "fecha de este informe",
    "people": "personas",
    "by_state": "por estado",
    "active": "activas",
    "unconfirmed": "sin confirmar",
    "unsubscribed": "dadas de baja",
    "by_ground": "por base legal",
    "consent": "consentimiento",
    "public function": "función pública",
    "contract": "contrato",
    "withdrawn": "retirado",
    "not stated": "sin indicar",
    "suppressions": "direcciones bloqueadas",
    "erasures": "personas borradas (sellos)",
    "imports": "importaciones",
    "oldest": "el dato más antiguo",
}
_ENGLISH: Final = {word: word.replace("_", " ") for word in _SPANISH} | {
    "title": "Processing of personal data",
    "shrunk": "{people} people who left more than {days} days ago were shrunk to a seal.",
    "would shrink": "{people} people who left more than {days} days ago would be shrunk to a seal.",
    "at": "date of this report",
    "clicks": "links followed, of those who said yes",
    "erasures": "people erased (seals)",
    "by_ground": "by legal ground",
    "suppressions": "addresses not written to",
    "oldest": "oldest data",
}
_WORDS: Final[dict[str, dict[str, str]]] = {"es": _SPANISH, "en": _ENGLISH}


@group.command()
def tidy(
    context: typer.Context,
    *,
    days: Annotated[
        int | None, typer.Option(min=0, max=36500, help="Days after leaving; as the config says if left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who many it would be, and change nothing.")] = False,
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Shrink the data of those who left long ago to a seal that keeps lists from bringing them back."""
    from datetime import timedelta

    app = house(context)
    kept = app.config.retention.unsubscribed_days if days is None else days
    gone = app.register.long_gone(app.clock.now() - timedelta(days=kept))
    if not dry_run:
        for number in gone:
            app.rights.erase(number, who=by or operator())
    if as_json:
        print_json({"days": kept, "people": len(gone), "erased": 0 if dry_run else len(gone)})
    else:
        words = _WORDS.get(app.config.publication.language, _WORDS["en"])
        say(words["would shrink" if dry_run else "shrunk"].format(people=len(gone), days=kept))


@group.command()
def report(context: typer.Context, as_json: bool = JSON) -> None:
    """Print the page of processing activities that the law asks for."""
    from shutil import get_terminal_size
    from textwrap import fill
    from zoneinfo import ZoneInfo

    import msgspec

    app = house(context)
    holding = app.register.holding()
    publication = app.config.publication
    followed = ["clicks"] if app.config.feedback.tracking == "individual" else []
    document: dict[str, Any] = {
        "controller": publication.organization,
        "responsible": publication.publisher,
        "contact": publication.reply_to,
        "purpose": "to send the publication by e-mail",
        "data": ["address", "name", "honorific", "position", "institution", "country", "language", "tags", *followed],
        "recipients_of_data": "the publication's own mail service; nobody else",
        "kept_after_leaving_days": app.config.retention.unsubscribed_days,
        "segments": list(app.config.segments),
        "at": app.clock.now(),
    } | msgspec.structs.asdict(holding)
    if as_json:
        print_json(document)
        return
    words = _WORDS.get(publication.language, _WORDS["en"])
    say_marked("[bold]{title}: {name}[/]", title=words["title"], name=publication.name)
    titles = [each.title.get(publication.language, name) for name, each in app.config.segments.items()]
    zone = ZoneInfo(publication.timezone)
    kept = {key: value for key, value in (document | {"segments": titles}).items() if value not in ({}, [], None)}
    shown = {words[key]: _shown(value, words, zone) for key, value in kept.items()}
    width = max(map(len, shown)) + 2
    for label, text in shown.items():
        print(fill(f"{label:{width}}{text}", get_terminal_size().columns, subsequent_indent=" " * width))


def _shown(value: object, words: Mapping[str, str], zone: "ZoneInfo") -> str:
    if isinstance(value, dict):
        return ", ".join(f"{words.get(name, name)}: {many:,}" for name, many in value.items())
    if isinstance(value, list):
        return ", ".join(words.get(each, each) for each in value)
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
    if isinstance(value, int):
        return f"{value:,}"
    return words.get(str(value), str(value))
