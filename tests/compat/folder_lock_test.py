import os

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.compat.folder_lock import locked


def in_another_process(work):
    """Whether it was refused there."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except ConfigurationError:
            os._exit(1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def enter(folder):
    with locked(folder, patience=0.1):
        pass


def test_a_folder_has_one_process_at_a_time(tmp_path):
    folder = tmp_path / "new"
    with locked(folder):
        assert in_another_process(lambda: enter(folder))
    assert not in_another_process(lambda: enter(folder))


def test_the_refusal_names_the_folder(tmp_path):
    with locked(tmp_path), pytest.raises(ConfigurationError, match=f"at work in {tmp_path}"):
        enter(tmp_path)
