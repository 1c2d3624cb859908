"""Errors of the engine; each says what was wrong and, in ``hint``, what to do."""

from fairness.errors import FairloomError


class AutoMLError(FairloomError):
    """Base of the engine's expected errors."""


class DataError(AutoMLError):
    """A file or a column cannot be used as it is."""


class UnclearFile(DataError):
    """A file may be readable once the person names its encoding, delimiter or sheet."""


class SpecError(AutoMLError):
    """A search was asked for that cannot be run."""


class SettingsError(AutoMLError):
    """A setting or the workspace cannot be used."""


class UnknownIdError(DataError):
    """A text that should be the id of a data set or job is not one."""


class TrainingDiverged(AutoMLError):
    """A loss or gradient became non-finite."""


class SearchFailed(AutoMLError):
    """A search ended without a model; not the input's fault."""


class JobError(AutoMLError):
    """A job cannot be changed in the way that was asked for, or is not there."""


class LeaseLost(AutoMLError):
    """Another worker owns the job now; whatever this one still holds is stale."""


class DiskFull(AutoMLError):
    """There is not enough free space to go on."""


class BundleError(AutoMLError):
    """A model bundle cannot be read, or does not fit the rows it is given."""
