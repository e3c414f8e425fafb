"""
What is kept of clicks: the links that each campaign counts, how often each was followed, and by whom where a reader
consented to that. A figure names no person, no network and no time.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from mailer.storage.database import Instant, metadata

# How a campaign counts; fixed with its recipients, whatever the config says later.
trails = Table(
    "trails",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True, autoincrement=False),
    Column("tracking", String(16), nullable=False),  # none, aggregate, individual
    Column("laid_at", Instant, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("segment", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("position", Integer, nullable=False),  # within the edition; 0: the one that no person sees
    Column("article", Text, nullable=False),
    Column("url", Text, nullable=False),
    UniqueConstraint("campaign_id", "segment", "language", "position"),
    sqlite_autoincrement=True,  # messages name it: a number is never given twice
)

clicks = Table(
    "clicks",
    metadata,
    Column("link_id", ForeignKey("links.id"), primary_key=True, autoincrement=False),
    Column("judged", String(16), primary_key=True),  # person, or what gave a machine away
    Column("number", Integer, nullable=False),
)

# Only of those who said yes to it, and only what a person seems to have followed.
clickers = Table(
    "clickers",
    metadata,
    Column("link_id", ForeignKey("links.id"), primary_key=True, autoincrement=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),  # the first time
    Index(None, "subscriber_id"),
)

# Whether a reader lets their own clicks be kept. Rows are only ever added; an erasure takes them with the person.
click_consents = Table(
    "click_consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("is_given", Boolean, nullable=False),
    Column("text_version", String(64), nullable=False),
    Index(None, "subscriber_id"),
)
