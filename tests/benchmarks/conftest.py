import logging

import pytest


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
