"""
Every table of the house, whichever book keeps it.

A book is read in when somebody asks for it, and its tables with it: who goes by the tables themselves starts here.
"""

from collections.abc import Sequence

from sqlalchemy import Table

from mailer.storage import (  # noqa: F401 - read in for their tables
    audit,
    campaign_tables,
    click_tables,
    cluster_tables,
    feedback,
    visitors,
)
from mailer.storage.database import metadata
from mailer.storage.register import tables  # noqa: F401 - likewise


def all_tables() -> Sequence[Table]:
    """All there are; who refers to another comes after it."""
    return metadata.sorted_tables
