"""What is wrong with a table of the config, told to whoever wrote it: where it stands, and what may stand there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from mailer.suggest import did_you_mean, listed

_LONGEST: Final = 60
_HEADER: Final = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.+)`")
_MISSING: Final = re.compile(r"Object missing required field `(.+)`")
_EACH: Final = "..."  # how msgspec writes the key of a table whose keys are anybody's


def explain(problem: msgspec.ValidationError, of: type, table: Mapping[str, Any], section: str = "") -> str:
    """
    What msgspec found wrong when it read `table` as the struct `of`, as a sentence that names section and key.

    >>> class Pace(msgspec.Struct, forbid_unknown_fields=True):
    ...     speed: int
    >>> table = {"speed": "fast"}
    >>> try: msgspec.convert(table, Pace)
    ... except msgspec.ValidationError as problem: print(explain(problem, Pace, table, "delivery"))
    [delivery] speed can't be "fast"; it is a whole number
    """
    said, _, path = str(problem).partition(" - at `$")
    parts, node, value = _followed(_steps(path), inspect.type_info(of), table)
    where = [*([section] if section else []), *parts]
    if unknown := _UNKNOWN.fullmatch(said):
        known = [field.encode_name for field in getattr(node, "fields", ())]
        return f'{_table(where)} has an unknown key "{unknown[1]}"; {did_you_mean(unknown[1], known)}'
    if missing := _MISSING.fullmatch(said):
        return f'{_table(where)} lacks the key "{missing[1]}"; add it'
    if not parts:
        return f"{_table(where)}: {said}"
    told = "must be" if value is None else f"can't be {_shown(value)}; it is"  # None: a secret's key is not the file's
    return f"{_table(where[:-1])} {where[-1]} {told} {_expected(node)}"


def line_of(problem: msgspec.ValidationError, of: type, table: Mapping[str, Any], text: str) -> int | None:
    """The line of a TOML file that the fault stands on, as far as it can be told: that of the key, or of its table."""
    said, _, path = str(problem).partition(" - at `$")
    parts, _, _ = _followed(_steps(path), inspect.type_info(of), table)
    if unknown := _UNKNOWN.fullmatch(said):
        parts.append(unknown[1])
    found, header = None, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if opened := _HEADER.match(line):
            header = opened[1].replace('"', "")
            if header == ".".join(parts):
                return number
            if parts and header == ".".join(parts[:-1]):
                found = found or number
        elif parts and header == ".".join(parts[:-1]) and re.match(rf'\s*"?{re.escape(parts[-1])}"?\s*[=.]', line):
            return number
    return found


def _steps(path: str) -> Iterator[str]:
    """`.segments[...].title` step by step; a number counts within a list."""
    for name, index in re.findall(r"\.([^.\[\]`]+)|\[([^\]]*)\]", path):
        yield name or index


def _followed(steps: Iterator[str], node: Any, value: Any) -> tuple[list[str], Any, Any]:
    """The names along the way, what is expected at its end, and what stands there."""
    names: list[str] = []
    for step in steps:
        node = _narrowed(node, value)
        if isinstance(node, inspect.StructType):
            node = next((field.type for field in node.fields if field.encode_name == step), inspect.AnyType())
            names, value = [*names, step], value.get(step) if isinstance(value, dict) else None
        elif isinstance(node, inspect.DictType):
            node = node.value_type
            key = step if step != _EACH else next((each for each in value if not _fits(value[each], node)), step)
            names, value = [*names, key], value.get(key)
        else:
            node = getattr(node, "item_type", inspect.AnyType())
            number = int(step) if step.isdecimal() else 0
            names, value = [*names, f"(number {number + 1})"], value[number]
    return names, _narrowed(node, value), value


def _narrowed(node: Any, value: Any) -> Any:
    """Of several kinds, the one that a table or a list was meant to be; all of them for anything else."""
    if isinstance(node, inspect.UnionType) and isinstance(value, dict | list) and value:
        kinds = (inspect.StructType, inspect.DictType) if isinstance(value, dict) else (inspect.VarTupleType,)
        return next((one for one in node.types if isinstance(one, kinds)), node)
    return node


def _fits(value: Any, node: Any) -> bool:
    if isinstance(node, inspect.StructType):
        try:
            msgspec.convert(value, node.cls)
        except msgspec.ValidationError:
            return False
        return True
    return isinstance(value, str if isinstance(node, inspect.StrType) else dict)


def _table(parts: list[str]) -> str:
    names = ".".join(part for part in parts if not part.startswith("("))
    counted = "".join(f" {part}" for part in parts if part.startswith("("))
    return f"[{names}]{counted}" if names else "the top of the file"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    if len(text) <= _LONGEST:
        return text
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"{text[:_LONGEST]}…"


def _expected(node: Any) -> str:
    """What may stand there, in words."""
    match node:
        case inspect.LiteralType():
            return listed([f'"{value}"' for value in node.values])
        case inspect.UnionType():
            return listed([_expected(one) for one in node.types if not isinstance(one, inspect.NoneType)])
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + (f" from {node.ge} on" if node.ge is not None else "")
        case inspect.FloatType():
            return "a number"
        case inspect.DateType():
            return "a day, as in 2026-12-31"
        case inspect.VarTupleType():
            return f"a list{' that is not empty' if node.min_length else ''}, each of it {_expected(node.item_type)}"
        case inspect.DictType() | inspect.StructType():
            return "a table"
        case _:
            return "a text in quotation marks"
