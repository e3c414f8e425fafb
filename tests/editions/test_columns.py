"""Columns hold in programs that know no media queries."""

import re

from mailer.editions.columns import hold_columns


def test_columns_of_a_row_have_a_widest_width(edition):
    """Two columns of a row say how wide they are at most; a column that fills its row doesn't."""
    widths = re.findall(r'class="[^"]*mj-column-per-(\d+)[^"]*" style="[^"]*?max-width:([\d.]+)px', edition.html)
    assert ("44", "281.6") in widths or ("50", "320") in widths
    assert not [width for share, width in widths if share == "100"]


def test_media_queries_lift_it(edition):
    """On a phone that honours media queries a column is as wide as the screen."""
    assert "@media only screen{.mj-outlook-group-fix{max-width:none !important}}" in edition.html


def test_html_without_columns_is_left_alone():
    """What has no columns gets no style."""
    assert hold_columns("<html><head></head></html>") == "<html><head></head></html>"
