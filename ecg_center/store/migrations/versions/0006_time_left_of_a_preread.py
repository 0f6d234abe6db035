"""How long the pre-read of a long recording will still take."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("preread_progress", sa.Column("remaining_s", sa.Float(), nullable=True))


def downgrade() -> None:
    """Undo: a medical record's schema goes forward only; restore a backup instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
