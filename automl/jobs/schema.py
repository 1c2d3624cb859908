"""The tables of the job store. SQLAlchemy Core, one metadata; times are UTC epoch seconds."""

import sqlalchemy as sa

from automl.jobs.records import JobState, TrialState

SCHEMA_VERSION = "0003"  # the newest revision in ``migrations/versions``; a test compares them

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: type[JobState] | type[TrialState]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("product_version", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("consumed_seconds", sa.Float, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("stop_requested_at", sa.Float),
    sa.Column("stop_mode", sa.Text),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_token", sa.Integer, nullable=False),
    sa.Column("lease_expires_at", sa.Float),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Column("outcome_kind", sa.Text),
    sa.Column("outcome_message", sa.Text),
    sa.Column("outcome_hint", sa.Text),
    sa.Column("note", sa.Text),
    sa.CheckConstraint(_one_of("state", JobState), name="state"),
    sa.CheckConstraint("(state = 'running') = (lease_owner IS NOT NULL)", name="lease"),
    sa.UniqueConstraint("owner", "idempotency_key"),
)
sa.Index("ix_job_queued", job.c.created_at, sqlite_where=job.c.state == "queued")
sa.Index("ix_job_created_at", job.c.created_at)

trial = sa.Table(
    "trial",
    metadata,
    sa.Column("job_id", sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("family", sa.Text, nullable=False),
    sa.Column("config", sa.JSON, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("n_epochs", sa.Integer, nullable=False),
    sa.Column("best_epoch", sa.Integer, nullable=False),
    sa.Column("n_parameters", sa.Integer),
    sa.Column("fit_seconds", sa.Float),
    sa.Column("predict_seconds", sa.Float),
    sa.Column("peak_memory_bytes", sa.Integer),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("failure_kind", sa.Text, nullable=False),
    sa.Column("failure_message", sa.Text, nullable=False),
    sa.Column("failure_hint", sa.Text, nullable=False),
    sa.Column("optuna", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON(none_as_null=True)),
    sa.Column("origin", sa.Text),
    sa.CheckConstraint(_one_of("state", TrialState), name="state"),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("from_state", sa.Text, nullable=False),
    sa.Column("to_state", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

worker = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("boot_id", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("pid_start_time", sa.Float, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("slots", sa.JSON, nullable=False),
    sa.Column("stats", sa.JSON, nullable=False),
    sa.Column("heartbeat_at", sa.Float, nullable=False),
)

process = sa.Table(
    "process",
    metadata,
    sa.Column("pid", sa.Integer, primary_key=True),
    sa.Column("pid_start_time", sa.Float, primary_key=True),
    sa.Column("worker_id", sa.Text, nullable=False, index=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("boot_id", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
)

# Looks outlive the job that made them: a test part that was seen stays seen.
look = sa.Table(
    "look",
    metadata,
    sa.Column("test_fingerprint", sa.Text, primary_key=True),
    sa.Column("model_hash", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
