"""Campaigns, approvals, fires, the shelf of frozen editions, and the ledger of deliveries."""

import sqlalchemy as sa
from alembic import op

from mailer.storage.database import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("issue", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(128), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_index("ix_approvals_issue", "approvals", ["issue"])
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("issue", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(128), nullable=False),
        sa.Column("segments", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("scheduled_at", Instant),
        sa.Column("frozen_at", Instant),
        sa.Column("finished_at", Instant),
        sa.Column("recipients", sa.Integer, nullable=False),
        sa.Column("signed_with", sa.String(16), nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("excluded", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_campaigns_issue", "campaigns", ["issue"])
    op.create_table(
        "fires",
        sa.Column("schedule", sa.String(128), primary_key=True),
        sa.Column("at", Instant, primary_key=True),
        sa.Column("noted_at", Instant, nullable=False),
    )
    op.create_table(
        "shelf",
        sa.Column("content_hash", sa.String(128), primary_key=True),
        sa.Column("issue", sa.String(64), nullable=False),
        sa.Column("shelved_at", Instant, nullable=False),
        sa.Column("compiled", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("lease_until", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_campaign_id_ended_at", "runs", ["campaign_id", "ended_at"])
    op.create_table(
        "allowances",
        sa.Column("scope", sa.String(300), primary_key=True),
        sa.Column("until", Instant),
        sa.Column("slots", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("subscriber_id", sa.Integer, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("honorific", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("lane", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_id", sa.Integer),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("deferred_since", Instant),
        sa.Column("uncertain_at", Instant),
        sa.Column("resent_at", Instant),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("transport", sa.String(64), nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.UniqueConstraint("campaign_id", "subscriber_id", name="uq_deliveries_campaign_id_subscriber_id"),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["campaign_id", "lane", "due_at", "id"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_deliveries_state", "deliveries", ["campaign_id", "state", "segment"])
