"""What is measured of a trial before its first epoch, and who proposed it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Two columns more; rows that are there have neither value."""
    op.add_column("trial", sa.Column("facts", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("trial", sa.Column("origin", sa.Text(), nullable=True))


def downgrade() -> None:
    """The facts and origins are lost. No batch: copying the table would drop its check."""
    op.drop_column("trial", "origin")
    op.drop_column("trial", "facts")
