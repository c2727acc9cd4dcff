"""Version 2: reviews as a chained trail that the server itself keeps from being changed, and what review works with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brainsift.store.migrations.columns import keys, number, texts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS reviews_no_{verb.lower()} BEFORE {verb} ON reviews "
    "BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END"
    for verb in ("UPDATE", "DELETE")
)
POSTGRES_GUARDS = (
    "CREATE OR REPLACE FUNCTION brainsift_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'reviews are append-only'; END $$",
    "CREATE TRIGGER reviews_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reviews "
    "FOR EACH STATEMENT EXECUTE FUNCTION brainsift_append_only()",
)


def upgrade() -> None:
    """Replace the table that was never written to, and make those of review."""
    op.drop_table("reviews")
    _trail()
    _work()
    _people()
    for guard in SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else POSTGRES_GUARDS:
        op.execute(guard)
    op.execute("UPDATE schema_info SET version = 2")


def _trail() -> None:
    op.create_table(
        "reviews",
        number("id"),
        *keys("study"),
        number("position"),
        *keys("key"),
        number("part"),
        *texts("request_sha256", "kind"),
        *keys("task"),
        *texts("list_name", "stage"),
        *keys("scan"),
        *keys("item", nullable=True),
        *texts("sheet", nullable=True),
        *keys("reviewer"),
        *texts("outcome"),
        *texts("choice", nullable=True),
        *texts("fields", "meaning"),
        number("milliseconds", sa.BigInteger),
        *texts("shown"),
        sa.Column("second_wanted", sa.Boolean(), nullable=False),
        *texts("input_sha256"),
        *texts("model_id", "model_sha256", "machine_action", "machine_label", nullable=True),
        *texts("software"),
        number("undo_of", nullable=True),
        *texts("at", "previous_sha256", "sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("study", "position", name="uq_reviews_study_position"),
        sa.UniqueConstraint("study", "key", "part", name="uq_reviews_study_key_part"),
    )
    for columns in (("item",), ("task", "scan"), ("reviewer", "task"), ("undo_of",)):
        op.create_index(f"ix_reviews_study_{'_'.join(columns)}", "reviews", ["study", *columns])
    op.create_table(
        "review_chains",
        *keys("study"),
        *texts("ident"),
        number("length"),
        *texts("sha256"),
        sa.PrimaryKeyConstraint("study", name="pk_review_chains"),
    )


def _work() -> None:
    place = ("study", "task", "scan")
    op.create_table(
        "review_cases",
        *keys(*place, "basis"),
        *texts("state", "home"),
        *keys("first_reader", "second_reader", nullable=True),
        *texts("choice", nullable=True),
        *texts("fields"),
        number("position", nullable=True),
        sa.PrimaryKeyConstraint(*place, name="pk_review_cases"),
    )
    op.create_index("ix_review_cases_study_task_state", "review_cases", ["study", "task", "state"])
    op.create_table(
        "review_leases",
        *keys("item", *place, "slot", "holder"),
        *texts("list_name", "stage"),
        *keys("sheet", nullable=True),
        number("rank", sa.BigInteger),
        sa.Column("decided", sa.Boolean(), nullable=False),
        number("taken_ms", sa.BigInteger),
        number("until_ms", sa.BigInteger),
        *texts("offered"),
        sa.PrimaryKeyConstraint("item", name="pk_review_leases"),
        sa.UniqueConstraint(*place, "slot", name="uq_review_leases_study_task_scan_slot"),
    )
    op.create_index("ix_review_leases_study_holder_task", "review_leases", ["study", "holder", "task"])
    op.create_table(
        "review_catches",
        *keys(*place),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(*place, name="pk_review_catches"),
    )


def _people() -> None:
    op.create_table(
        "reviewers",
        *keys("study", "name"),
        *texts("role"),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("faces", "simulated", "active")),
        *keys("token_sha256", nullable=True),
        *texts("since"),
        sa.PrimaryKeyConstraint("study", "name", name="pk_reviewers"),
        sa.UniqueConstraint("study", "token_sha256", name="uq_reviewers_study_token_sha256"),
    )
    op.create_table(
        "review_sessions",
        *keys("cookie_sha256", "study", "name"),
        *texts("csrf"),
        number("seen_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("cookie_sha256", name="pk_review_sessions"),
    )
