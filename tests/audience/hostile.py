"""
A second collection of lists that nobody should send, made by going through what spreadsheets and their makers can do.

As in `nasty`: `READ` says which addresses go in and how many rows are put aside, `REFUSED` what the sentence says.
"""

import io
import random
import zipfile
from datetime import date

from openpyxl import Workbook

from tests.audience.nasty import (
    CLOSE,
    MANIFEST,
    OPEN,
    PLAIN_BOOK,
    SHEET,
    A,
    B,
    C,
    cell,
    ods,
    ods_row,
    repacked,
    workbook,
)

HEADED = OPEN + b'<row r="1">' + cell("A1", b"correo") + cell("B1", b"nombre") + b"</row>"
FIRST = b'<row r="2">' + cell("A2", A.encode()) + cell("B2", b"Ana") + b"</row>"
LAUGHS = b"<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)


def book(*rows: bytes) -> bytes:
    return repacked(PLAIN_BOOK, {SHEET: HEADED + b"".join(rows) + CLOSE})


def raw(sheet: bytes) -> bytes:
    return repacked(PLAIN_BOOK, {SHEET: sheet})


def package(parts: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as written:
        for name, data in parts.items():
            written.writestr(name, data)
    return out.getvalue()


def hidden_first() -> bytes:
    made, out = Workbook(), io.BytesIO()
    made.active.append(["correo"])
    made.active.append([B])
    made.active.sheet_state = "hidden"
    for row in (["correo"], [A]):
        (made["Vista"] if "Vista" in made.sheetnames else made.create_sheet("Vista")).append(row)
    made.active = 1
    made.save(out)
    return out.getvalue()


LOCKED_MANIFEST = MANIFEST.replace(
    '"content.xml" manifest:media-type="text/xml"/>',
    '"content.xml" manifest:media-type="text/xml"><manifest:encryption-data manifest:checksum-type="SHA1/1K">'
    '<manifest:algorithm manifest:algorithm-name="Blowfish CFB"/></manifest:encryption-data></manifest:file-entry>',
)
SODS = "application/vnd.oasis.opendocument.spreadsheet"
PREFIXED = (
    '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
    '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>correo</x:t></x:is></x:c></x:row>'
    f'<x:row r="2"><x:c r="A2" t="inlineStr"><x:is><x:t>{A}</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>'
)

MERGED = b'<mergeCells><mergeCell ref="A2:A3"/><mergeCell ref="A1:XFD1048576"/></mergeCells>'

READ: dict[str, tuple[str | bytes, set[str], int]] = {
    "a-million-styled-rows.xlsx": (
        book(FIRST, *(b'<row r="%d" s="1" customFormat="1"/>' % number for number in range(3, 400_000))),
        {A},
        0,
    ),
    "dimension-of-a-lie.xlsx": (
        raw(HEADED.replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>') + FIRST + CLOSE),
        {A},
        0,
    ),
    "a-zip-within.xlsx": (repacked(PLAIN_BOOK, {"xl/embeddings/in.zip": package({"x": b"0" * 9999})}), {A}, 0),
    "a-day.xlsx": (workbook(["correo", "nombre", "desde"], [A, "Ana", date(2022, 11, 30)]), {A}, 0),
    "formula-and-value.xlsx": (
        book(b'<row r="2"><c r="A2" t="str"><f>B9&amp;"@a.example"</f><v>' + A.encode() + b"</v></c></row>"),
        {A},
        0,
    ),
    "formula-without.xlsx": (book(b'<row r="2"><c r="A2"><f>B9</f></c>' + cell("B2", b"Ana") + b"</row>"), set(), 1),
    "errors.xlsx": (
        book(FIRST, b'<row r="3"><c r="A3" t="e"><v>#N/A</v></c>' + cell("B3", b"Eva") + b"</row>"),
        {A},
        1,
    ),
    "rich-text.xlsx": (
        book(
            b'<row r="2"><c r="A2" t="inlineStr"><is><r><t>a@</t></r><r><rPr><b/></rPr><t>a.example</t></r></is></c>'
            b"</row>"
        ),
        {A},
        0,
    ),
    "filtered-away.xlsx": (book(FIRST, b'<row r="3" hidden="1">' + cell("A3", B.encode()) + b"</row>"), {A, B}, 0),
    "hidden-sheet-first.xlsx": (hidden_first(), {A}, 0),
    "prefixed.xlsx": (raw(PREFIXED.encode()), {A}, 0),
    "merged-downwards.xlsx": (
        raw(HEADED + FIRST + b'<row r="3">' + cell("B3", b"Ana") + b"</row>" + CLOSE.replace(b"</w", MERGED + b"</w")),
        {A},
        0,
    ),
    "two-rows-of-headings.xlsx": (workbook(["Contacto", None], ["Correo", "Nombre"], [A, "Ana"]), {A}, 0),
    "spans.ods": (
        ods(
            ods_row("correo", "nombre")
            + b'<table:table-row><table:table-cell office:value-type="string"><text:p>a@<text:span>a.example'
            b"</text:span></text:p></table:table-cell>"
            b'<table:table-cell office:value-type="string"><text:p>A<text:s/>na</text:p></table:table-cell>'
            b"</table:table-row>"
        ),
        {A},
        0,
    ),
    "text-called.xlsx": (f"correo,nombre\n{A},Ana\n", {A}, 0),
    "text-called.xls": (f"correo\tnombre\n{A}\tAna\n", {A}, 0),
    "utf16-be-no-bom.csv": (f"correo;nombre\n{A};Ñusta\n".encode("utf-16-be"), {A}, 0),
    "too-long-an-address.csv": (f"correo,nombre\n{A},x\n{'a' * 308}@a.example,y\n", {A}, 1),
    "address-with-a-slash.csv": (f'correo,nombre\n"{A}/{B}",x\n"{C}\n",y\n', {A, B, C}, 0),
    "odd-surrogate.csv": (f"correo,nombre\n{A},".encode() + b"\xed\xa0\x80\n", {A}, 0),
    "backwards.csv": (f"correo,nombre\n{A},\u202eanA\n", {A}, 0),
    "nine-hundred-columns.csv": ("correo" + "," * 899 + "\n" + (A + "," * 899 + "\n") * 50, {A}, 0),
}

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "laughs.xlsx": (raw(LAUGHS + b"]>" + HEADED + b'<row r="2">' + cell("A2", b"&j;") + b"</row>" + CLOSE), "entities"),
    "laughs-behind-a-comment.xlsx": (
        raw(b"<!--" + b"x" * 9000 + b"-->" + LAUGHS + b"]>" + HEADED + b'<row r="2">' + cell("A2", b"&j;") + CLOSE),
        "save it again",
    ),
    "a-file-of-the-machine.xlsx": (
        repacked(PLAIN_BOOK, {"xl/sharedStrings.xml": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><sst/>'}),
        "entities",
    ),
    "no-such-text.xlsx": (book(b'<row r="2"><c r="A2" t="s"><v>99999</v></c></row>'), "save it again"),
    "rows-without-end.xlsx": (book(FIRST, b"<row/>" * 9_000_000), "more than a list"),
    "texts-without-end.xlsx": (
        repacked(PLAIN_BOOK, {"xl/sharedStrings.xml": b"<sst>" + b"<si><t/></si>" * 4_000_000 + b"</sst>"}),
        "more than a list",
    ),
    "oddly-packed.xlsx": (package({"xl/workbook.xml": b"<w/>"}, zipfile.ZIP_BZIP2), "packed as no spreadsheet"),
    "nothing-in-it.xlsx": (package({}), "save it again"),
    "row-beyond.xlsx": (book(b'<row r="99999999999">' + cell("A99999999999", A.encode()) + b"</row>"), "far from"),
    "row-before.xlsx": (book(b'<row r="-7">' + cell("A7", A.encode()) + b"</row>"), "far from"),
    "column-without-end.xlsx": (book(b'<row r="2">' + cell("A" * 200_000 + "2", A.encode()) + b"</row>"), "far from"),
    "deep.xlsx": (raw(b"<a>" * 200_000), "workbook"),
    "locked.ods": (
        package(
            {
                "mimetype": SODS.encode(),
                "content.xml": random.Random(2).randbytes(999),
                "META-INF/manifest.xml": LOCKED_MANIFEST.encode(),
            }
        ),
        "password",
    ),
    "lista.numbers": (package({"Index/Document.iwa": b"\0" * 99, "preview.jpg": b"\xff\xd8"}), "no workbook"),
    "letter.docx": (package({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "no workbook"),
    "page-without-html.xls": ('\n\n<meta charset="utf-8"><table><tr><td>correo</td></tr></table>', "web page"),
    "old-mail.csv": (f"correo,nombre\n{A},José Ruiz\n{B},Martín Ñáñez\n".encode("utf-7"), "UTF-7"),
    "comment-before-html.xls": ("<!-- Reporte -->\n<html><table><tr><td>correo</td></tr></table></html>", "web page"),
    "page-in-utf16.xls": ("<html><table><tr><td>correo</td></tr></table></html>".encode("utf-16"), "web page"),
    "page-archive.xls": ("MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "web page"),
    "spread-out.json": ('{\n  "correo": "a@a.example"\n}', "JSON"),
    "directory.ldif": (f"dn: cn=Ana\nmail: {A}\n", "LDIF"),
    "packed.csv": (b"\x28\xb5\x2f\xfd" + bytes(50), "compressed"),
    "table.dbf": (b"\x03\x7a\x0b\x1e\x01\0\0\0\x41\0\x1f\0" + bytes(20) + b"CORREO\0\0\0\0\0C", "another program"),
    "old.xls": (b"\x09\x04\x06\0\0\0\x10\0" + bytes(200), "another program"),
    "answer.json": ('[{"correo": "a@a.example"}]', "JSON"),
    "same-heading-twice.csv": (f"correo,nombre,nombre\n{A},Ana,Eva\n", "both look like the name"),
    "no-headings.csv": (f"Ana,{A},x\nEva,{B},y\n", "--map email="),
    "noise.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.Random(3).randbytes(20_000), "save it again"),
    "quotes-alone.csv": ('"' * 200_000, "characters"),
    "commas-alone.csv": ("," * 100_000, "cells|columns|field"),
}
