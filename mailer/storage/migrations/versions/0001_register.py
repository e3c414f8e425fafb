"""The register and the audit."""

import sqlalchemy as sa
from alembic import op

from mailer.storage.database import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    _lists()
    _subscribers()
    _memberships()
    _suppressions()
    _consents()
    _institutions()
    _segments()


def _lists() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("basis", sa.String(32), nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("undone_at", Instant),
        sqlite_autoincrement=True,
    )


def _subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False, unique=True),
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("honorific", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("paused_until", Instant),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("import_id", sa.Integer, sa.ForeignKey("imports.id")),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sqlite_autoincrement=True,
    )
    for name, column, condition in (
        ("not_active", "state", "state <> 'active'"),
        ("paused", "paused_until", "paused_until IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(
            f"ix_subscribers_{name}", "subscribers", [column], sqlite_where=where, postgresql_where=where
        )


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("segment", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("import_id", sa.Integer, sa.ForeignKey("imports.id")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memberships_segment_state", "memberships", ["segment", "state"])
    op.create_table(
        "field_owners",
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("field", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
    )
    op.create_table(
        "import_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("import_id", sa.Integer, sa.ForeignKey("imports.id"), nullable=False),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
    )
    op.create_index("ix_import_changes_import_id", "import_changes", ["import_id"])
    op.create_index("ix_import_changes_subscriber_id", "import_changes", ["subscriber_id"])


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(320), nullable=False, unique=True),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("until", Instant),
    )


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("basis", sa.String(32), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("text_version", sa.String(64), nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
    )
    op.create_index("ix_consents_subscriber_id", "consents", ["subscriber_id"])


def _institutions() -> None:
    op.create_table(
        "institutions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("country", sa.String(64), nullable=False),
        sa.Column("province", sa.String(64), nullable=False),
        sa.Column("canton", sa.String(64), nullable=False),
        sa.Column("is_by_hand", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_institutions_kind", "institutions", ["kind"])
    op.create_table(
        "former_posts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("successor_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="SET NULL")),
    )
    op.create_index("ix_former_posts_subscriber_id", "former_posts", ["subscriber_id"])
    op.create_index("ix_former_posts_institution", "former_posts", ["institution"])


def _segments() -> None:
    op.create_table(
        "tags",
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag", sa.String(64), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tags_tag", "tags", ["tag"])
    op.create_table(
        "segment_rules",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
    )
