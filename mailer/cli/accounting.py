"""What an import did, or would do, told to an officer in the publication's language; reasons stay as they are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mailer.audience.importing.importer import Account

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
    },
}
_SENTENCES: Final = {
    "es": {
        "would": "entrarían en",
        "went": "entraron en",
        "columns": "Columnas:",
        "remembered": "como usted dijo la última vez",
        "ignored": "Columnas que no se usan:",
        "guess": "¿Es {heading!r} el campo {field}? No se usó; si lo es, añada --map '{field}={heading}'",
        "changes": "Cambios, campo por campo:",
        "more": "… y {number} más (con --json se ven todos los que se guardan)",
        "undo": "Es la importación {number}; `mailer subscribers import undo {number}` la deshace.",
        "nothing": "No se cambió nada. Para hacer exactamente esto: la misma orden, con --plan {plan} y sin --dry-run.",
        "line": "línea",
    },
    "en": {
        "would": "would go into",
        "went": "went into",
        "columns": "Columns:",
        "remembered": "as you said last time",
        "ignored": "Columns not used:",
        "guess": "Is {heading!r} the {field}? It was not used; if it is, add --map '{field}={heading}'",
        "changes": "Changes, field by field:",
        "more": "… and {number} more (--json shows all that are kept)",
        "undo": "This is import {number}; `mailer subscribers import undo {number}` takes it back.",
        "nothing": "Nothing was changed. To do exactly this: the same command with --plan {plan}, without --dry-run.",
        "line": "line",
    },
}


def told(account: "Account", segment: str, language: str, *, dry_run: bool) -> Iterator[str]:
    """The lines of the account."""
    say = _SENTENCES.get(language, _SENTENCES["en"])
    verb = say["would" if dry_run else "went"]
    yield f"{_counted('rows', account.rows, language)} ({account.read_as}) {verb} {segment}:"
    yield f"  {summary(account, language)}"
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
    }
    always = {"new", "changed", "unsubscribed", "rejected"}
    return ", ".join(_counted(what, number, language) for what, number in counts.items() if number or what in always)


def _counted(what: str, number: int, language: str) -> str:
    """
    A count in words, its digits grouped as the language does.

    >>> _counted("rows", 24400, "es"), _counted("rows", 24400, "en"), _counted("new", 1, "es")
    ('24.400 filas', '24,400 rows', '1 nuevo')
    """
    from babel.numbers import format_decimal

    spoken = language if language in _WORDS else "en"
    one, many = _WORDS[spoken][what]
    return f"{format_decimal(number, locale=spoken)} {one if number == _ONE else many}"


def _columns(account: "Account", remembered: str) -> Iterator[str]:
    for field, heading in account.columns.items():
        yield f"{field} = {heading!r}" + (f" ({remembered})" if field in account.remembered else "")
