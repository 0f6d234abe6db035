"""Who sees and may change which rows, and how pages hear of a change.

Row-level security: a transaction in scope ``all`` sees every clinic's rows, one in scope ``own`` those of the
institutions it names, one that names nothing sees nothing. The application's role owns no table and cannot bypass it.
"""

from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OF_A_CLINIC = (
    "patient",
    "study",
    "upload",
    "recording",
    "findings",
    "deadline",
    "opinion",
    "report",
    "review",
    "delivery",
    "study_event",
    "device",
    "person",
)
APPEND_ONLY = ("study_event", "audit", "review", "opinion")
CHANGED = (
    *(table for table in OF_A_CLINIC if table not in APPEND_ONLY),
    "institution",
    "calendar",
    "calendar_day",
    "person_grant",
    "signing_certificate",
    "gateway_account",
    "gateway_institution",
    "web_session",
    "fee_item",
    "accession_counter",
)
DELETED = ("upload", "web_session", "person_grant", "calendar_day", "gateway_institution", "deadline")
"""Nothing clinical is ever deleted by the application."""

IN_SIGHT = """
    (SELECT current_setting('ecg.scope', true)) = 'all'
    OR institution_id = ANY (
        (SELECT string_to_array(nullif(current_setting('ecg.institutions', true), ''), ',')::uuid[])::uuid[]
    )
"""


def upgrade() -> None:
    """Apply."""
    role = context.config.attributes.get("app_role", "ecg_app")
    for table in OF_A_CLINIC:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY sight ON {table} TO {role} USING ({IN_SIGHT}) WITH CHECK ({IN_SIGHT})")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    for table in CHANGED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {role}")
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
    for table in DELETED:
        op.execute(f"GRANT DELETE ON {table} TO {role}")
    op.execute(f"GRANT SELECT ON alembic_version TO {role}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
    op.execute(f"""
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT tablename FROM pg_tables
                        WHERE schemaname = 'public' AND tablename LIKE 'procrastinate%' LOOP
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO {role}', name);
            END LOOP;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION ecg_notify_event() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('ecg_live', json_build_object(
                'study', NEW.study_id, 'institution', NEW.institution_id, 'what', NEW.what)::text);
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER ecg_notify_event AFTER INSERT ON study_event
        FOR EACH ROW EXECUTE FUNCTION ecg_notify_event()
    """)


def downgrade() -> None:
    """Undo: a medical record's schema goes forward only; restore a backup instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
