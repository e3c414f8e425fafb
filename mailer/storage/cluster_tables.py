"""The tables of several machines at work: who sends where, and the sums of what was put away into files."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, String, Table, Text

from mailer.storage.campaign_tables import campaigns
from mailer.storage.database import Instant, metadata

# One row a sending process; it is deleted when the process ends, and grows old when it dies.
workers = Table(
    "workers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("slices", Integer, nullable=False),  # in hand
    Column("sent", BigInteger, nullable=False),
    Column("rate", Float, nullable=False),  # messages a second, lately
    sqlite_autoincrement=True,
)

# The account of a campaign whose deliveries are in a file: how many of each segment ended where.
archived_sums = Table(
    "archived_sums",
    metadata,
    Column("campaign_id", ForeignKey(campaigns.c.id), primary_key=True),
    Column("segment", String(64), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("number", Integer, nullable=False),
)

archives = Table(
    "archives",
    metadata,
    Column("campaign_id", ForeignKey(campaigns.c.id), primary_key=True),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("archived_at", Instant, nullable=False),
)
