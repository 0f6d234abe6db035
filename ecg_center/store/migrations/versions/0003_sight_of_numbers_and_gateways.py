"""Row-level security on the two tables of a clinic that 0002 left out: numbers given out, and who serves whom."""

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

IN_SIGHT = """
    (SELECT current_setting('ecg.scope', true)) = 'all'
    OR institution_id = ANY (
        (SELECT string_to_array(nullif(current_setting('ecg.institutions', true), ''), ',')::uuid[])::uuid[]
    )
"""


def upgrade() -> None:
    """Apply."""
    role = context.config.attributes.get("app_role", "ecg_app")
    for table in ("accession_counter", "gateway_institution"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY sight ON {table} TO {role} USING ({IN_SIGHT}) WITH CHECK ({IN_SIGHT})")


def downgrade() -> None:
    """Undo: a medical record's schema goes forward only; restore a backup instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
