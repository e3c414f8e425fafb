"""What is kept of clicks."""

import sqlalchemy as sa
from alembic import op

from mailer.storage.database import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_links()
    create_clickers()


def create_links() -> None:
    op.create_table(
        "trails",
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), primary_key=True, autoincrement=False),
        sa.Column("tracking", sa.String(16), nullable=False),
        sa.Column("laid_at", Instant, nullable=False),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("article", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.UniqueConstraint("campaign_id", "segment", "language", "position"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "clicks",
        sa.Column("link_id", sa.Integer, sa.ForeignKey("links.id"), primary_key=True, autoincrement=False),
        sa.Column("judged", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )


def create_clickers() -> None:
    whose = sa.ForeignKey("subscribers.id", ondelete="CASCADE")
    op.create_table(
        "clickers",
        sa.Column("link_id", sa.Integer, sa.ForeignKey("links.id"), primary_key=True, autoincrement=False),
        sa.Column("subscriber_id", sa.Integer, whose, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_index("ix_clickers_subscriber_id", "clickers", ["subscriber_id"])
    op.create_table(
        "click_consents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("is_given", sa.Boolean, nullable=False),
        sa.Column("text_version", sa.String(64), nullable=False),
    )
    op.create_index("ix_click_consents_subscriber_id", "click_consents", ["subscriber_id"])
