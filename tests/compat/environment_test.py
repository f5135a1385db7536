"""What AllenNLP finds missing, and what it needs of Python."""

import importlib
import multiprocessing
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from allennlp.common import plugins
from allennlp.data.data_loaders import multiprocess_data_loader
from allennlp.data.data_loaders.multiprocess_data_loader import MultiProcessDataLoader

from spigot_allennlp.compat.environment import torchvision_may_be_missing


@pytest.fixture
def torchvision(tmp_path, monkeypatch):
    """Makes a torchvision that consists of the given code the installed one."""

    def install(code):
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text(code)
        importlib.invalidate_caches()

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    yield install
    sys.modules.pop("torchvision", None)


def test_a_torchvision_that_imports_is_used(torchvision):
    torchvision("works = True")
    around = torchvision_may_be_missing(None)
    next(around)
    assert sys.modules["torchvision"].works
    next(around, None)
    assert sys.modules["torchvision"].works


@pytest.mark.parametrize("error", ["RuntimeError", "OSError", "AttributeError", "ImportError"])
def test_for_a_broken_torchvision_stands_in_what_says_why(torchvision, error):
    torchvision(f"raise {error}('operator nms does not exist')")
    around = torchvision_may_be_missing(None)
    next(around)
    import torchvision.ops.boxes as boxes

    with pytest.raises(AttributeError, match="needs? torchvision.*operator nms does not exist"):
        boxes.batched_nms  # noqa: B018
    around.close()


def test_nobody_but_allennlp_sees_the_stand_in(torchvision):
    torchvision("raise RuntimeError")
    around = torchvision_may_be_missing(None)
    next(around)
    next(around, None)
    assert not [name for name in sys.modules if name.partition(".")[0] == "torchvision"]


@pytest.mark.skipif(find_spec("rouge") is not None, reason="all of allennlp-models can be imported")
def test_allennlp_models_is_no_default_plugin_but_its_parts_can_be_imported():
    assert plugins.DEFAULT_PLUGINS == ("allennlp_semparse", "allennlp_server")
    importlib.import_module("allennlp_models.structured_prediction")


@pytest.mark.parametrize("start", ["_start_instance_workers", "_start_batch_workers"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_get_a_lock_of_their_own_context(start, method, monkeypatch):
    worker_arguments = []

    def process(target, args, daemon):
        worker_arguments.append(args)
        return SimpleNamespace(start=lambda: None)

    context = multiprocessing.get_context(method)
    monkeypatch.setattr(context, "Process", process, raising=False)
    loader = SimpleNamespace(num_workers=2, _instance_worker=None, _batch_worker=None)
    getattr(MultiProcessDataLoader, start)(loader, None, context)
    locks = [arguments[2] for arguments in worker_arguments]
    assert len(locks) == 2 and all(lock._semlock is not None for lock in locks)
    assert all(type(lock) is type(context.RLock()) for lock in locks)
    assert all(lock._is_fork_ctx == (method == "fork") for lock in locks)
    assert multiprocess_data_loader.mp.__name__ == "torch.multiprocessing"
