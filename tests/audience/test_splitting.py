"""Text is cut into rows as csv would, whether csv does it or not."""

import csv
import io
import re
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.audience.importing.splitting import blocks_of

ROW = st.lists(
    st.sampled_from(["a@a.example", "Nabón", "", " ", '"de; dos\nlíneas"', '""""', 'un "apodo"']), max_size=3
)
ALIKE = st.tuples(st.sampled_from([["x", "y"], ["x", ""]]), st.integers(1, 4500)).map(
    lambda drawn: [drawn[0]] * drawn[1]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.lists(ROW, max_size=4), ALIKE), max_size=5), st.lists(st.integers(0, 1000)))
def test_rows_and_lines_are_those_that_csv_reads(groups, cuts):
    """Whatever stands in quotation marks and wherever the pieces end, rows and their lines are as read in one go."""
    text = "".join(";".join(cells) + "\n" for rows in groups for cells in rows) + 'last;"one"\n'
    whole = csv.reader(io.StringIO(text), delimiter=";")
    expected, line = [], 1
    for cells in whole:
        expected.append((line, cells))
        line = whole.line_num + 1
    ends = [match.end() for match in re.finditer("\n", text)]
    places = sorted({0, *(ends[cut % len(ends)] for cut in cuts), len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    blocks = blocks_of(iter(pieces), Path("list.csv"), separator=";", before=0)
    read = [(line, list(cells)) for block in blocks for line, cells in zip(block.lines, block.rows, strict=True)]
    assert read == expected
