"""
How fast lists go in: a million CSV rows new, unchanged and changed, and a hundred thousand rows of a workbook.

    python benchmarks/import.py [ROWS]

Each import is a process of its own; its processor time and its largest memory are the kernel's figures.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
HEADINGS = ["Correo electrónico", "Tratamiento", "Nombre", "Cargo", "Institución", "País", "Idioma"]


def row(number: int, generation: int) -> list[str]:
    """A line of a directory; the generation changes its post."""
    return [
        f"persona{number * 7919 % 1_000_003:07}@entidad{number % 9973}.example",
        ("Sr.", "Sra.", "Ing.", "")[number % 4],
        f"Persona Número {number}",
        ("Alcalde", "Prefecta", "Cónsul", "Técnico")[(number + generation) % 4],
        f"Institución de Cañar {number % 9973}",
        ("Ecuador", "Perú", "Colombia")[number % 3],
        ("es", "en")[number % 2],
    ]


def write_csv(path: Path, rows: int, generation: int = 0) -> None:
    """The list as Excel saves it in Spanish."""
    with path.open("w", encoding="utf-8") as file:
        file.write(";".join(HEADINGS) + "\n")
        file.writelines(";".join(row(number, generation)) + "\n" for number in range(rows))


def write_xlsx(path: Path, rows: int) -> None:
    """The list as a workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Directorio")
    sheet.append(HEADINGS)
    for number in range(rows):
        sheet.append(row(number, 0))
    book.save(path)


def take_in(database: str, path: str) -> None:
    """Import a list and print what it took."""
    from mailer.audience.importing.importer import ListFile, import_list
    from mailer.audience.register import ImportOrder
    from mailer.clock import SystemClock
    from mailer.storage.database import Database
    from mailer.storage.register import Register

    books = Database(f"sqlite:///{database}")
    books.upgrade()
    before = _computed()
    order = ImportOrder(segment="gads", source=Path(path).name, who="benchmark")
    account = import_list(ListFile(path=Path(path)), order, Register(books, SystemClock()))
    took = _computed() - before
    books.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{took:6.2f} s of one core  {account.rows / took:>9,.0f} rows/s  {memory:4.0f} MB  "
        f"new {account.new:,}, changed {account.changed:,}, unchanged {account.unchanged:,}"
    )


def _computed() -> float:
    """Processor time, that of a workbook's reader too."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def count(database: str) -> None:
    """Count segments and rules over what was imported."""
    from mailer.audience.rules import parse_rule
    from mailer.clock import SystemClock
    from mailer.storage.database import Database
    from mailer.storage.register import Register

    register = Register(Database(f"sqlite:///{database}"), SystemClock())
    begun = time.perf_counter()
    register.segment_counts(["gads"])
    print(f"{time.perf_counter() - begun:6.2f} s  every segment, by standing")
    for rule in ("segment = gads", 'country = PE and not language = "es"', 'institution.kind = "consulate"'):
        parsed = parse_rule(rule)
        begun = time.perf_counter()
        people = register.fitting(parsed).people
        print(f"{time.perf_counter() - begun:6.2f} s  {rule}: {people:,}")


def main(rows: int) -> None:
    """Write the lists and import each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        books, first, second, sheet = (Path(folder, name) for name in ("a.db", "a.csv", "b.csv", "c.xlsx"))
        write_csv(first, rows)
        write_csv(second, rows, 1)
        write_xlsx(sheet, rows // 10)
        for what, database, path in (
            ("csv, all new", books, first),
            ("csv, unchanged", books, first),
            ("csv, a field of each changed", books, second),
            ("xlsx, a tenth of the rows, all new", Path(folder, "c.db"), sheet),
        ):
            print(f"{what:36}", end="", flush=True)
            subprocess.run([sys.executable, __file__, "--take-in", str(database), str(path)], check=True)
        count(str(books))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--take-in"]:
        take_in(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
