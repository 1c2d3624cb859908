"""What a person wrote about a job."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One column more; jobs that are there have no note."""
    op.add_column("job", sa.Column("note", sa.Text(), nullable=True))


def downgrade() -> None:
    """The notes are lost. No batch: copying the table would drop its checks."""
    op.drop_column("job", "note")
