"""A day of ECG: a physician's edits over the machine's result, findings with and without them, how far a pre-read is."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
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
    op.add_column("findings", sa.Column("edited", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("findings", sa.Column("edits", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "findings",
        sa.Column(
            "files", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.drop_constraint(op.f("uq_findings_recording_id_engine_engine_version"), "findings")
    op.create_unique_constraint(
        op.f("uq_findings_recording_id_engine_engine_version_edited"),
        "findings",
        ["recording_id", "engine", "engine_version", "edited"],
    )
    op.create_table(
        "preread_progress",
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_preread_progress_recording_id")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_preread_progress_institution_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_preread_progress_study_id")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_preread_progress")),
    )
    op.create_table(
        "findings_edit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("why", sa.String(), server_default="", nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_findings_edit_institution_id")),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_findings_edit_recording_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_findings_edit_study_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_findings_edit_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings_edit")),
        sa.UniqueConstraint("recording_id", "position", name=op.f("uq_findings_edit_recording_id_position")),
    )
    for table in ("preread_progress", "findings_edit"):
        op.create_index(op.f(f"ix_{table}_institution_id"), table, ["institution_id"])
        op.create_index(op.f(f"ix_{table}_study_id"), table, ["study_id"])
    _secure(context.config.attributes.get("app_role", "ecg_app"))
    _notify()


def _secure(role: str) -> None:
    """Each clinic sees its own; edits are only ever added."""
    for table in ("preread_progress", "findings_edit"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY sight ON {table} TO {role} USING ({IN_SIGHT}) WITH CHECK ({IN_SIGHT})")
    op.execute(f"GRANT SELECT, INSERT ON findings_edit TO {role}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON preread_progress TO {role}")


def _notify() -> None:
    """Pages hear of progress and of new findings as they hear of the timeline; neither is a line of it."""
    for table, what in (("preread_progress", "progress"), ("findings", "findings")):
        op.execute(f"""
            CREATE FUNCTION ecg_notify_{what}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_notify('ecg_live', json_build_object(
                    'study', NEW.study_id, 'institution', NEW.institution_id, 'what', '{what}')::text);
                RETURN NEW;
            END $$
        """)
        op.execute(f"""
            CREATE TRIGGER ecg_notify_{what} AFTER INSERT OR UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ecg_notify_{what}()
        """)


def downgrade() -> None:
    """Undo: a medical record's schema goes forward only; restore a backup instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
