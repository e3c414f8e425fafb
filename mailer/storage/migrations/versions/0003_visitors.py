"""What the public pages keep."""

import sqlalchemy as sa
from alembic import op

from mailer.storage.database import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_books_of_readers()
    create_books_of_the_desk()


def create_books_of_readers() -> None:
    op.create_table(
        "departures",
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("left_at", Instant, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("segments", sa.Text, nullable=False),
    )
    op.create_table(
        "signups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("segments", sa.Text, nullable=False),
        sa.Column("consent", sa.String(32), nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("confirmed_at", Instant),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="SET NULL")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signups_asked_at", "signups", ["asked_at"])
    op.create_table(
        "erasures",
        sa.Column("seal", sa.String(128), primary_key=True),
        sa.Column("at", Instant, nullable=False),
    )


def create_books_of_the_desk() -> None:
    op.create_table(
        "quotas",
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("until", Instant, nullable=False),
    )
    op.create_index("ix_quotas_until", "quotas", ["until"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("about", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("next_try_at", Instant),
        sa.Column("tries", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_next_try_at", "notices", ["next_try_at"])
