import re
import sys

import pytest

from spigot_allennlp.compat import installation

COMMAND = f"{sys.executable} -m pip install --no-deps allennlp==2.10.1 allennlp-models==2.10.1"


@pytest.mark.parametrize("distribution", ["allennlp", "allennlp-models"])
def test_the_right_version_passes(distribution):
    installation.require(distribution)


def test_another_version_is_named_with_the_command_that_puts_it_right(monkeypatch):
    monkeypatch.setattr(installation, "installed_version", lambda distribution: "2.9.3")
    with pytest.raises(ImportError, match=re.escape(COMMAND)) as error:
        installation.require("allennlp")
    assert "needs allennlp 2.10.1, but found 2.9.3" in str(error.value)


def test_a_distribution_that_is_not_installed_is_missed():
    with pytest.raises(ImportError, match="but found none"):
        installation.require("no-such-distribution")
