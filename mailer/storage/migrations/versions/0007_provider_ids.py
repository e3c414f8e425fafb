"""What providers call the messages that they took: some of their reports say nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whose = sa.ForeignKey("deliveries.id", ondelete="CASCADE")
    op.create_table(
        "provider_ids",
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), whose, primary_key=True, autoincrement=False),
        sa.Column("provider_id", sa.String(200), nullable=False),
    )
    op.create_index("ix_provider_ids_provider_id", "provider_ids", ["provider_id"])
