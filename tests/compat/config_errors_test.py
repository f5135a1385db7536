"""What is said of a config that cannot be read."""

import pytest
from allennlp.common import Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model

from spigot_allennlp.compat import registration

CONFIGS = {
    "{a: 1 +}": ":1: ",
    "{\n  a: std.extVar('NO_SUCH_VARIABLE'),\n}": (
        ":2: The config asks for the variable NO_SUCH_VARIABLE, which is not set. Set it in the "
        "environment: NO_SUCH_VARIABLE=VALUE allennlp ..."
    ),
    "{\n\n  a: error 'because' }": ":3: because",
    "{a: import 'nowhere.libsonnet'}": ":1: ",
}


@pytest.mark.parametrize("text", CONFIGS)
def test_a_fault_is_named_with_its_line_and_no_trace(tmp_path, text):
    file = tmp_path / "config.jsonnet"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        Params.from_file(file)
    message = str(raised.value)
    assert message.startswith(f"{file}{CONFIGS[text]}") and "\n" not in message
    assert len(message) < 500


def test_a_name_of_this_package_asks_for_the_package(monkeypatch):
    assert "semantic_parser" in Model.list_available()
    monkeypatch.setattr(registration, "is_left_out", lambda: True)
    monkeypatch.delitem(Registrable._registry[Model], "semantic_parser")
    with pytest.raises(ConfigurationError, match="'semantic_parser' is a Model of spigot_allenn"):
        Model.by_name("semantic_parser")
    with pytest.raises(ConfigurationError, match="not a registered name"):
        Model.by_name("semantic_parzer")
