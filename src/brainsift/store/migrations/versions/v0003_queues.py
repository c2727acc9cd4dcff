"""Version 3: an index that gives a queue in its order, and none that nothing asks for.

`decisions (task, action)` lacked the order in which scans are handed out, so that PostgreSQL sorted a whole list for
each page of it. No query looks for a label, and keeping its index took time at every ingest.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Exchange the indexes."""
    op.drop_index("ix_findings_label", "findings")
    op.drop_index("ix_decisions_task_action", "decisions")
    op.create_index("ix_decisions_task_action_id", "decisions", ["task", "action", "id"])
    op.execute("UPDATE schema_info SET version = 3")
