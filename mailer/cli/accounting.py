"""What an import did, or would do, told to an officer in the publication's language; reasons stay as they are."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mailer.audience.importing.importer import Account
    from mailer.audience.register import ManyMissing, MovedOn

SHOWN: Final = 20
_ONE: Final = 1

# Each count with its words for one and for many.
_WORDS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "es": {
        "rows": ("fila", "filas"),
        "new": ("nuevo", "nuevos"),
        "changed": ("cambia", "cambian"),
        "unchanged": ("sigue igual", "siguen igual"),
        "unsubscribed": ("dado de baja: se respeta", "dados de baja: se respetan"),
        "suppressed": ("bloqueado: no se le escribe", "bloqueados: no se les escribe"),
        "erased": ("borrado: no vuelve", "borrados: no vuelven"),
        "succeeded": ("ya no ocupa el cargo: no vuelve", "ya no ocupan el cargo: no vuelven"),
        "rejected": ("fila rechazada", "filas rechazadas"),
        "removed": ("sale del segmento: no está en la lista", "salen del segmento: no están en la lista"),
        "kept_details": ("dato se queda como está", "datos se quedan como están"),
        "extra_addresses": ("dirección de más en una celda", "direcciones de más en una celda"),
        "tagged": ("etiqueta puesta", "etiquetas puestas"),
        "would": ("entraría en", "entrarían en"),
        "went": ("entró en", "entraron en"),
        "hidden": (
            "fila está oculta en la hoja (¿por un filtro?) y cuenta como las demás.",
            "filas están ocultas en la hoja (¿por un filtro?) y cuentan como las demás.",
        ),
        "aside": (
            "fila de {rows} se apartó, las demás entraron; corríjala en {file} e importe ese archivo",
            "filas de {rows} se apartaron, las demás entraron; corríjalas en {file} e importe ese archivo",
        ),
    },
    "en": {
        "rows": ("row", "rows"),
        "new": ("new", "new"),
        "changed": ("changes", "change"),
        "unchanged": ("stays as it is", "stay as they are"),
        "unsubscribed": ("left: respected", "left: respected"),
        "suppressed": ("suppressed: not written to", "suppressed: not written to"),
        "erased": ("erased: stays away", "erased: stay away"),
        "succeeded": ("holds the post no longer: stays away", "hold the post no longer: stay away"),
        "rejected": ("row rejected", "rows rejected"),
        "removed": ("leaves the segment: not on the list", "leave the segment: not on the list"),
        "kept_details": ("detail left as it is", "details left as they are"),
        "extra_addresses": ("address more in a cell", "addresses more in a cell"),
        "tagged": ("tag put on", "tags put on"),
        "would": ("would go into", "would go into"),
        "went": ("went into", "went into"),
        "hidden": (
            "row is hidden in the sheet (by a filter?) and counts like the others.",
            "rows are hidden in the sheet (by a filter?) and count like the others.",
        ),
        "aside": (
            "of {rows} rows was put aside, the others went in; mend it in {file} and import that file",
            "of {rows} rows were put aside, the others went in; mend them in {file} and import that file",
        ),
    },
}
_SENTENCES: Final = {
    "es": {
        "tab": "tabulador",
        "columns": "Columnas:",
        "remembered": "como usted dijo la última vez",
        "ignored": "Columnas que no se usan:",
        "guess": "¿Es {heading!r} el campo {field}? No se usó; si lo es, añada --map '{field}={heading}'",
        "changes": "Cambios, campo por campo:",
        "more": "… y {number} más (con --json se ven todos los que se guardan)",
        "undo": "Es la importación {number}; `mailer subscribers import undo {number}` la deshace.",
        "nothing": "No se cambió nada. Para hacer exactamente esto: la misma orden, con --plan {plan} y sin --dry-run.",
        "line": "línea",
        "moved": (
            "el registro o la lista cambió desde ese ensayo; no se importó nada: mire un nuevo --dry-run y dé su --plan"
        ),
        "many": (
            "{missing} de las {before} personas de {segment} no están en la lista y saldrían del segmento; mírelas con "
            "--dry-run y, si así debe ser, repita la orden con --yes"
        ),
    },
    "en": {
        "tab": "tab",
        "columns": "Columns:",
        "remembered": "as you said last time",
        "ignored": "Columns not used:",
        "guess": "Is {heading!r} the {field}? It was not used; if it is, add --map '{field}={heading}'",
        "changes": "Changes, field by field:",
        "more": "… and {number} more (--json shows all that are kept)",
        "undo": "This is import {number}; `mailer subscribers import undo {number}` takes it back.",
        "nothing": "Nothing was changed. To do exactly this: the same command with --plan {plan}, without --dry-run.",
        "line": "line",
        "moved": (
            "the register or the list has changed since that dry run; nothing was imported: look at a new --dry-run "
            "and give its --plan"
        ),
        "many": (
            "{missing} of the {before} people of {segment} are not on the list and would leave it; look at them with "
            "--dry-run, and if that is meant, run it again with --yes"
        ),
    },
}


def told(account: "Account", segment: str, language: str, *, dry_run: bool) -> Iterator[str]:
    """The lines of the account."""
    say = _SENTENCES.get(language, _SENTENCES["en"])
    verb = _worded("would" if dry_run else "went", account.rows, language)
    read_as = re.sub(r"\btab$", say["tab"], account.read_as)
    yield f"{_counted('rows', account.rows, language)} ({read_as}) {verb} {segment}:"
    yield f"  {summary(account, language)}"
    if account.hidden_rows:
        yield _counted("hidden", account.hidden_rows, language)
    yield f"{say['columns']} {', '.join(_columns(account, say['remembered']))}"
    if account.ignored_columns:
        yield f"{say['ignored']} {', '.join(account.ignored_columns)}"
    for heading, field in account.guesses.items():
        yield say["guess"].format(heading=heading, field=field)
    if account.changes:
        yield say["changes"]
        yield from (
            f"  {each.email}: {each.field} {each.before!r} → {each.after!r}" for each in account.changes[:SHOWN]
        )
        if len(account.changes) > SHOWN:
            yield "  " + say["more"].format(number=len(account.changes) - SHOWN)
    for note in (*account.rejects[:SHOWN], *account.notes[:SHOWN]):
        yield f"  {say['line']} {note['line']}: {note.get('reason') or note.get('note')}"
    if account.import_id is not None:
        yield say["undo"].format(number=account.import_id)
    if dry_run:
        yield say["nothing"].format(plan=account.plan)


def summary(account: "Account", language: str) -> str:
    """The account in one sentence: "412 nuevos, 31 cambian, 9 dados de baja: se respetan, 4 filas rechazadas"."""
    kept = dict(account.kept)
    counts = {
        "new": account.new,
        "changed": account.changed,
        "unchanged": account.unchanged,
        "unsubscribed": kept.pop("unsubscribed", 0) + kept.pop("left", 0),
        **kept,
        "rejected": account.rejected,
        "removed": account.removed,
        "extra_addresses": account.extra_addresses,
        "kept_details": account.kept_details,
        "tagged": account.tagged,
    }
    always = {"new", "changed", "unsubscribed", "rejected"}
    return ", ".join(_counted(what, number, language) for what, number in counts.items() if number or what in always)


def put_aside(account: "Account", language: str) -> str:
    """What closes the account of an import that put rows aside."""
    return _counted("aside", account.rejected, language).format(
        rows=_grouped(account.rows, language), file=account.rejects_file
    )


def refused(problem: "MovedOn | ManyMissing", segment: str, language: str) -> str:
    """Why the register took nothing of a list."""
    from mailer.audience.register import ManyMissing

    say = _SENTENCES.get(language, _SENTENCES["en"])
    if isinstance(problem, ManyMissing):
        return say["many"].format(missing=problem.missing, before=problem.before, segment=segment)
    return say["moved"]


def _counted(what: str, number: int, language: str) -> str:
    """
    A count in words, its digits grouped as the language does.

    >>> _counted("rows", 24400, "es"), _counted("rows", 24400, "en"), _counted("new", 1, "es")
    ('24.400 filas', '24,400 rows', '1 nuevo')
    """
    return f"{_grouped(number, language)} {_worded(what, number, language)}"


def _grouped(number: int, language: str) -> str:
    from babel.numbers import format_decimal

    return format_decimal(number, locale=language if language in _WORDS else "en")


def _worded(what: str, number: int, language: str) -> str:
    one, many = _WORDS.get(language, _WORDS["en"])[what]
    return one if number == _ONE else many


def _columns(account: "Account", remembered: str) -> Iterator[str]:
    for field, heading in account.columns.items():
        yield f"{field} = {heading!r}" + (f" ({remembered})" if field in account.remembered else "")
