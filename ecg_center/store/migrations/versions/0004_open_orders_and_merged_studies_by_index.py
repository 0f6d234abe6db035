"""Open orders, asked for by every gateway every few seconds, and merged orders, by every timeline, without a scan."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_study_ordered",
        "study",
        ["institution_id", "registered_at"],
        postgresql_where=sa.text("state = 'registered'"),
    )
    op.create_index(
        "ix_study_merged_into", "study", ["merged_into"], postgresql_where=sa.text("merged_into IS NOT NULL")
    )


def downgrade() -> None:
    """Undo: a medical record's schema goes forward only; restore a backup instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
