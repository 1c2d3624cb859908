"""The report and the tables that leave the product."""

from fairness.context import NOT_STATED, ModelRow, ReportContext

__all__ = ["NOT_STATED", "ModelRow", "ReportContext"]
