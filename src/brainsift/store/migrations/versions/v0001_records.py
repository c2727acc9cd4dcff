"""Version 1: scans with findings and decisions, runs, and a table for reviews that no program wrote to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brainsift.store.migrations.columns import keys, number, texts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    version = sa.Column("version", sa.Integer(), autoincrement=False, nullable=False)
    info = op.create_table("schema_info", version, sa.PrimaryKeyConstraint("version", name="pk_schema_info"))
    op.bulk_insert(info, [{"version": 1}])
    _scans()
    _findings()
    _decisions()
    op.create_table(
        "reviews",
        number("id"),
        number("scan_id"),
        *texts("task", "reviewer", "verdict"),
        number("seconds", sa.Double, nullable=True),
        number("undo_of", nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_table(
        "runs",
        number("id"),
        *keys("study"),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        *texts("software", "settings", "counts"),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )


def _scans() -> None:
    op.create_table(
        "scans",
        number("id"),
        *keys("study", "scan", "stem"),
        *texts("participant", "session", "suffix", nullable=True),
        *texts("status", "reason"),
        *texts("failure_kind", "failure_stage", "duplicate_of", nullable=True),
        *keys("sha256", nullable=True),
        *texts("fingerprint", "models_sha256", "settings_sha256"),
        number("seconds", sa.Double),
        *texts("record"),
        sa.PrimaryKeyConstraint("id", name="pk_scans"),
        sa.UniqueConstraint("study", "scan", name="uq_scans_study_scan"),
    )
    op.create_index("ix_scans_study_sha256", "scans", ["study", "sha256"])
    op.create_index("ix_scans_study_status", "scans", ["study", "status"])


def _findings() -> None:
    op.create_table(
        "findings",
        number("id"),
        number("scan_id"),
        *texts("task", "label", "reason", "probabilities", "measurements", "flags"),
        *texts("model_id", "model_sha256", nullable=True),
        number("seconds", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name="fk_findings_scan_id_scans"),
        sa.UniqueConstraint("scan_id", "task", name="uq_findings_scan_id_task"),
    )
    op.create_index("ix_findings_label", "findings", ["label"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        number("id"),
        number("scan_id"),
        *texts("task", "action", "rule", "reason"),
        number("threshold", sa.Double, nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name="fk_decisions_scan_id_scans"),
        sa.UniqueConstraint("scan_id", "task", name="uq_decisions_scan_id_task"),
    )
    op.create_index("ix_decisions_task_action", "decisions", ["task", "action"])
