"""What came back, and what each delivery is known by since."""

import sqlalchemy as sa
from alembic import op

from mailer.storage.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.String(200), nullable=False),
        sa.Column("happening", sa.String(16), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id", ondelete="CASCADE")),
        sa.Column("campaign_id", sa.Integer),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("hard", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("diagnosis", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("evidence", sa.LargeBinary),
        sa.UniqueConstraint("event", name="uq_feedback_event"),
    )
    op.create_index("ix_feedback_address_happening", "feedback", ["address", "happening"])
    op.create_index("ix_feedback_outcome", "feedback", ["outcome"])
    op.create_index("ix_feedback_subscriber_id", "feedback", ["subscriber_id"])
    op.create_table(
        "standings",
        sa.Column("campaign_id", sa.Integer, primary_key=True),
        sa.Column("subscriber_id", sa.Integer, primary_key=True),
        sa.Column("happening", sa.String(16), nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_table(
        "spent_nonces",
        sa.Column("nonce", sa.String(200), primary_key=True),
        sa.Column("at", Instant, nullable=False),
    )
