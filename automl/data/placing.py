"""A data set appears in the workspace whole or not at all."""

import errno
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.errors import DiskFull
from automl.files import sync_folder
from automl.settings import Workspace


@contextmanager
def make_folder(workspace: Workspace) -> Iterator[Path]:
    """A folder for a data set that is being made; gone at the end unless it was put in place.

    A child that was given a folder of its own under ``tmp`` makes it there: a child that is killed cannot
    clean up, its folder is removed for it.
    """
    tmp, here = workspace.tmp.resolve(), Path.cwd()
    parent = here if tmp in here.parents else tmp
    folder = parent / f"import-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(folder: Path, workspace: Workspace, dataset_id: str) -> None:
    """Give a finished folder its name in one step; another import of the same content may be faster."""
    for file in folder.iterdir():
        file.chmod(0o444)
    sync_folder(folder)
    target = workspace.dataset(dataset_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    sync_folder(target.parent)


@contextmanager
def name_full_disk(workspace: Workspace) -> Iterator[None]:
    """A full disk in words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"The disk under {workspace.root} is full; nothing was imported.",
                hint="Delete data sets or searches you no longer need, then import again.",
            ) from error
        raise
