import logging
from multiprocessing import forkserver

import pytest

from tests import forks


@pytest.fixture(autouse=True, scope="session")
def server_of_forks():
    """
    Starts the process from which others are forked as `tests/forks.py` wants it: there is one, and
    a benchmark would have it import our package.
    """
    forks.LIBRARIES_ONLY.set_forkserver_preload(forks.LIBRARIES)
    forkserver.ensure_running()


@pytest.fixture(autouse=True)
def logging_as_before():
    """Gives back the levels and handlers of logging, which the command of the benchmark sets."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("benchmarks", "allennlp", "spigot_allennlp.compat"))]
    levels, handlers = [logger.level for logger in loggers], list(root.handlers)
    yield
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
