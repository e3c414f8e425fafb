"""
Lists as nobody should keep them: each with what must become of it.

`GOOD` ones say which addresses go in and how many rows are rejected; `BAD` ones are refused whole, with these words.
"""

import gzip
import io
import random
import struct
import zipfile

from openpyxl import Workbook

A, B, C = "a@a.example", "b@b.example", "c@c.example"


def workbook(*rows, title="Hoja1", before=(), merge=None) -> bytes:
    book = Workbook()
    sheet = book.active
    for name in before:
        book.create_sheet(name, 0)
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def repacked(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The workbook with some of its parts replaced."""
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name in source.namelist():
            package.writestr(name, changes.get(name, source.read(name)))
        for name in changes.keys() - set(source.namelist()):
            package.writestr(name, changes[name])
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
OPEN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
CLOSE = b"</sheetData></worksheet>"
PLAIN_BOOK = workbook(["correo", "cargo"], [A, "Alcalde"])


def cell(place: str, text: bytes) -> bytes:
    return b'<c r="' + place.encode() + b'" t="inlineStr"><is><t>' + text + b"</t></is></c>"


MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def ods(rows: bytes) -> bytes:
    out = io.BytesIO()
    content = (
        b'<?xml version="1.0"?><office:document-content '
        b'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        b'<table:table table:name="Hoja">' + rows + b"</table:table></office:spreadsheet></office:body>"
        b"</office:document-content>"
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", MANIFEST)
    return out.getvalue()


def ods_row(*cells: str, repeated: str = "") -> bytes:
    inner = "".join(
        f'<table:table-cell office:value-type="string"{repeated}><text:p>{each}</text:p></table:table-cell>'
        for each in cells
    )
    return f"<table:table-row>{inner}</table:table-row>".encode()


def locked() -> bytes:
    """What a program makes of a workbook with a password: a compound file ([MS-CFB]) around an encrypted package."""
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0") + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<10I", 0, 1, 1, 0, 4096, end, 0, end, 0, 0).ljust(476, b"\xff")
    sectors = [table, end, *range(3, 10), end]  # the table, the directory, eight of the package

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        return struct.pack("<64sHBB3I36xIQ", text, len(text), kind, 1, free, free, child, start, size)

    entries = entry("Root Entry", 5, 1, end, 0) + entry("EncryptedPackage", 2, free, 2, 4096)
    return header + struct.pack("<10I", *sectors).ljust(512, b"\xff") + entries.ljust(512, b"\0") + b"\x07" * 4096


GOOD: dict[str, tuple[str | bytes, set[str], int]] = {
    "plain.csv": (f"correo,cargo\n{A},Alcalde\n", {A}, 0),
    "old-mac-line-ends.csv": (f"correo;cargo\r{A};x\r{B};y\r", {A, B}, 0),
    "mixed-line-ends.csv": (f"correo;cargo\r\n{A};x\n{B};y\r", {A, B}, 0),
    "no-last-line-end.csv": (f"correo\n{A}", {A}, 0),
    "bom-and-quotes.csv": (f'\ufeff"Correo";"Cargo"\n"{A}";"Alcalde"\n', {A}, 0),
    "utf16-be-bom.csv": (f"correo\tcargo\n{A}\tx\n".encode("utf-16"), {A}, 0),
    "utf16-no-bom.csv": (f"correo\tcargo\n{A}\tx\n".encode("utf-16-le"), {A}, 0),
    "nul-bytes.csv": (f"correo,cargo\n{A},Al\0cal\0de\n", {A}, 0),
    "title-and-blanks.csv": (f"Municipio;;\n;;\nActualizado: 2022;;\n\nCORREO;CARGO;\n{A};x;\n", {A}, 0),
    "title-names-the-office.csv": (f"Correos de alcaldías;;\nCorreo;Cargo;Nombre\n{A};x;y\n", {A}, 0),
    "heading-in-brackets.csv": (f"Correo electrónico (obligatorio);Cargo (*)\n{A};x\n", {A}, 0),
    "heading-on-two-lines.csv": (f'"Correo\nelectrónico";Cargo\n{A};x\n', {A}, 0),
    "heading-with-nbsp.csv": (f"Correo\u00a0electrónico;Cargo\n{A};x\n", {A}, 0),
    "heading-decomposed.csv": (f"Correo electro\u0301nico;Cargo\n{A};x\n", {A}, 0),
    "heading-twice.csv": (f"correo,cargo\n{A},x\ncorreo,cargo\n{B},y\n", {A, B}, 1),
    "sums-at-the-end.csv": (f"correo,cargo\n{A},x\nTotal: 1,\n", {A}, 1),
    "numbered.csv": (f"No.,correo,cargo\n1,{A},x\n2,,\n", {A}, 1),
    "empty-columns.csv": (f",,correo,,cargo\n,,{A},,x\n", {A}, 0),
    "trailing-separators.csv": (f"correo;cargo;;;;\n{A};x;;;;\n{B};y\n", {A, B}, 0),
    "short-rows.csv": (f"cargo,correo,nombre\nx,{A}\ny\n", {A}, 1),
    "long-row.csv": (f"correo,cargo\n{A},Quito, Ecuador\n{B},y\n", {B}, 1),
    "long-row-of-blanks.csv": (f"correo,cargo\n{A},x,,,\n", {A}, 0),
    "separator-in-quotes.csv": (f'correo,cargo\n{A},"Quito, Ecuador"\n', {A}, 0),
    "line-end-in-quotes.csv": (f'correo,cargo\n{A},"Dirección de\nRelaciones"\n{B},y\n', {A, B}, 0),
    "doubled-quotes.csv": (f'correo,nombre\n{A},"Ana ""Anita"" Ruiz"\n', {A}, 0),
    "stray-quote.csv": (f'correo,nombre\n{A},Ana "Anita Ruiz\n{B},y\n', {A, B}, 0),
    "sep-line.csv": (f"sep=|\ncorreo|cargo\n{A}|x\n", {A}, 0),
    "sep-line-quoted.csv": (f'"sep=;"\ncorreo;cargo\n{A};x\n', {A}, 0),
    "commas-decide-nothing.csv": (f"Institución;correo\nLoja, Zamora, Azuay;{A}\nQuito, Ibarra, Tena;{B}\n", {A, B}, 0),
    "tabs.tsv": (f"correo\tcargo\n{A}\tx\n", {A}, 0),
    "tabs-called.csv": (f"correo\tcargo\n{A}\tx\n", {A}, 0),
    "pipes.txt": (f"correo|cargo\n{A}|x\n", {A}, 0),
    "no-extension": (f"correo\n{A}\n", {A}, 0),
    "one-column-no-heading.txt": (f"{A}\n{B}\n", {A, B}, 0),
    "one-column-blank-lines.txt": (f"\n\n{A}\n\n{B}\n\n", {A, B}, 0),
    "phone-as-float.xlsx": (workbook(["teléfono", "correo"], [593999123456.0, A]), {A}, 0),
    "numbers-for-names.xlsx": (workbook(["nombre", "correo"], [12, A], [2.5, B], [True, C]), {A, B, C}, 0),
    "formula.csv": (f'correo,cargo\n{A},"=HYPERLINK(""http://x"")"\n', {A}, 0),
    "formula-address.csv": (f"correo,cargo\n=1+1,x\n{A},y\n", {A}, 1),
    "apostrophe.csv": (f"correo,cargo\n'{A},x\n", {A}, 0),
    "angle-brackets.csv": (f"correo,cargo\nAlcaldía de Nabón <{A}>,x\n", {A}, 0),
    "comma-in-display-name.csv": (f'correo;cargo\n"Pérez, Ana" <{A}>;x\n', {A}, 0),
    "two-in-a-cell.csv": (f'correo,cargo\n"{A}; {B}",x\n', {A, B}, 0),
    "two-on-two-lines.csv": (f'correo,cargo\n"{A}\n{B}",x\n', {A, B}, 0),
    "three-every-way.csv": (f'correo;cargo\n"{A} / {B} y {C}";x\n', {A, B, C}, 0),
    "one-good-one-bad.csv": (f'correo,cargo\n"{A}; b@b",x\n', {A}, 1),
    "same-twice-in-a-cell.csv": (f'correo,cargo\n"{A}; {A}",x\n', {A}, 0),
    "two-address-columns.csv": (f"correo 1,correo 2,cargo\n{A},{B},x\n{C},,y\n", {A, B, C}, 0),
    "mailto.csv": (f"correo\nmailto:{A}\n", {A}, 0),
    "trailing-dot.csv": (f"correo\n{A}.\n", {A}, 0),
    "zero-width.csv": (f"correo\n\u200b{A}\u200b\n", {A}, 0),
    "full-width.csv": ("correo\nａ@ａ.example\n", {A}, 0),
    "spaces-inside.csv": ("correo\na @a.example\n", set(), 1),
    "header-injection.csv": (f'correo,nombre\n"{A}\r\nBcc: x",y\n', {A}, 0),
    "control-characters.csv": (f"correo,nombre\n{A},A\x07n\x1ba\n", {A}, 0),
    "idn.csv": ("correo\ninfo@españa.example\n", {"info@españa.example"}, 0),
    "upper-case.csv": ("CORREO\nA@A.EXAMPLE\n", {"A@a.example"}, 0),
    "repeated.csv": (f"correo,cargo\n{A},x\n{A.upper()},x\n", {A}, 0),
    "contradicting.csv": (f"correo,cargo\n{A},x\n{A},y\n", {A}, 1),
    "surnames.csv": (f"Nombres;Apellidos;Correo\nAna;Ruiz;{A}\n", {A}, 0),
    "apellidos-y-nombres.csv": (f"Apellidos y nombres;Correo\nRuiz Ana;{A}\n", {A}, 0),
    "a-rejects-file.csv": (f"correo,cargo,line,reason\n{A},x,7,no address\n", {A}, 0),
    "long-note-not-used.csv": (f'correo,observaciones\n{A},"{"x" * 5000}"\n', {A}, 0),
    "mixed-and-told.csv": (f"correo,cargo\n{A},Alcaldía\n".encode("cp1252"), {A}, 0),
    "dashes-for-nothing.csv": (f"correo,cargo,nombre\n{A},-,N/A\n---,x,y\n", {A}, 1),
    "endless-cell.csv": (f'correo,cargo\n{A},"{"x" * 5000}"\n{B},y\n', {B}, 1),
    "plain.xlsx": (PLAIN_BOOK, {A}, 0),
    "a-book-called.csv": (PLAIN_BOOK, {A}, 0),
    "merged-title.xlsx": (
        workbook(["Directorio de alcaldías"], [], ["Correo", "Cargo"], [A, "x"], merge="A1:B1"),
        {A},
        0,
    ),
    "first-sheet-empty.xlsx": (workbook(["correo"], [A], before=["Portada"]), {A}, 0),
    "starts-below.xlsx": (workbook([], [], [None, None, "correo"], [None, None, A]), {A}, 0),
    "empty-row-at-the-very-end.xlsx": (
        repacked(
            PLAIN_BOOK,
            {
                SHEET: OPEN
                + b'<row r="1">'
                + cell("A1", b"correo")
                + b'</row><row r="2">'
                + cell("A2", A.encode())
                + b'</row><row r="1048576" ht="15"/>'
                + CLOSE
            },
        ),
        {A},
        0,
    ),
    "far-row.xlsx": (
        repacked(
            PLAIN_BOOK,
            {
                SHEET: OPEN
                + b'<row r="1">'
                + cell("A1", b"correo")
                + b'</row><row r="1048576">'
                + cell("Z1048576", b"x")
                + b"</row>"
                + CLOSE
            },
        ),
        set(),
        1,
    ),
    "no-references.xlsx": (
        repacked(
            PLAIN_BOOK,
            {
                SHEET: OPEN
                + b"".join(
                    b'<row><c t="inlineStr"><is><t>' + text + b"</t></is></c></row>" for text in (b"correo", A.encode())
                )
                + CLOSE
            },
        ),
        {A},
        0,
    ),
    "odd-but-valid.csv": (
        "correo\no'brien@a.example\nA&B@A.example\njosé@a.example\n",
        {"o'brien@a.example", "A&B@a.example", "josé@a.example"},
        0,
    ),
    "plain.ods": (ods(ods_row("correo", "cargo") + ods_row(A, "x")), {A}, 0),
    "ods-ends-in-empty-rows.ods": (
        ods(
            ods_row("correo", "cargo")
            + ods_row(A, "x")
            + b'<table:table-row table:number-rows-repeated="1048570"><table:table-cell '
            b'table:number-columns-repeated="16384"/></table:table-row>'
        ),
        {A},
        0,
    ),
}

BAD: dict[str, tuple[str | bytes, str]] = {
    "empty.csv": ("", "empty"),
    "blank.csv": ("\n \n;;\n", "empty"),
    "only-a-bom.csv": ("\ufeff", "empty"),
    "no-address-column.csv": ("nombre,cargo\nAna,x\n", "--map email="),
    "misspelt-address-column.csv": (f"Corrreo electrnico,cargo\n{A},x\n", "Corrreo electrnico"),
    "two-name-columns.csv": (f"nombre,contacto,correo\nAna,Eva,{A}\n", "both look like the name"),
    "open-quote.csv": (f'correo,cargo\n{A},"Alcalde\n{B},y\n', "list.*2: a quotation mark"),
    "endless-line.csv": ("correo," + "x" * 3_000_000, "characters"),
    "endless-quoted.csv": ('correo,cargo\n"' + "x\n" * 100_000, "quotation mark"),
    "mixed-encodings.csv": (
        f"correo,cargo\n{A},Alcaldía\n".encode() + f"{B},Alcaldía\n".encode("cp1252"),
        "some lines are written in UTF-8",
    ),
    "wide-rows-below.csv": (f"correo,cargo\n{A},x\n" + ("," * 50_000 + "\n") * 200, "more than 1000 cells"),
    "too-many-columns.csv": ("correo" + "," * 5000 + "\n", "columns"),
    "hardly-an-address.csv": (f"correo,cargo\n{A},x\n" + "y,z\n" * 12_000, "no valid address"),
    "noise.csv": (random.Random(7).randbytes(3_000_000), "no text"),
    "noise.xlsx": (b"PK\x03\x04" + random.Random(7).randbytes(100_000), "save it again"),
    "locked.xlsx": (locked(), "password"),
    "page.xls": ("<html><body><table><tr><td>correo</td></tr></table>", "web page"),
    "xml.xls": ("<?xml version='1.0'?><Workbook/>", "XML"),
    "document.pdf": (b"%PDF-1.7\n", "PDF"),
    "packed.csv.gz": (gzip.compress(b"correo\n"), "compressed"),
    "cards.vcf": ("BEGIN:VCARD\nEMAIL:a@a.example\nEND:VCARD\n", "contact cards"),
    "cut-off.xlsx": (PLAIN_BOOK[: len(PLAIN_BOOK) // 2], "save it again"),
    "not-a-book.xlsx": (repacked(PLAIN_BOOK, {"xl/workbook.xml": b"nonsense"}), "save it again"),
    "no-cells.xlsx": (workbook(), "no cells"),
    "broken.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "save it again"),
    "bomb-of-zeros.xlsx": (
        repacked(PLAIN_BOOK, {SHEET: OPEN + b" " * 340_000_000 + CLOSE}),
        "more than a list",
    ),
    "bomb-beside.xlsx": (repacked(PLAIN_BOOK, {"xl/extra.xml": b"0" * 340_000_000}), "more than a list"),
    "far-cell.xlsx": (
        repacked(
            PLAIN_BOOK,
            {
                SHEET: OPEN
                + b'<row r="1">' + cell("A1", b"correo") + b'</row><row r="1048576">'
                + cell("XFD1048576", b"x") + b"</row>" + CLOSE
            },
        ),
        "far from the others",
    ),
    "entities.xlsx": (
        repacked(
            PLAIN_BOOK,
            {
                SHEET: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                + OPEN + b'<row r="1">' + cell("A1", b"&x;") + b"</row>" + CLOSE
            },
        ),
        "entities",
    ),
    "many-parts.xlsx": (repacked(PLAIN_BOOK, {f"xl/part{n}.xml": b"" for n in range(2500)}), "more than a list"),
    "rows-repeated.ods": (
        ods(
            ods_row("correo")
            + b'<table:table-row table:number-rows-repeated="1000000">'
            + ods_row(A, repeated=' table:number-columns-repeated="60"').removeprefix(b"<table:table-row>")
        ),
        "more .* than a list",
    ),
    "repeated.ods": (
        ods(ods_row("correo") + ods_row(A, repeated=' table:number-columns-repeated="900000000"')),
        "columns",
    ),
}  # fmt: skip
