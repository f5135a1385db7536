import hashlib
import logging
import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from spigot_allennlp.nn import compilation, kernel_cache
from tests.nn.functions_in_files import function_in_file

NN = Path(kernel_cache.__file__).parent


@pytest.fixture
def double(tmp_path):
    return function_in_file(tmp_path / "doubling.py", "double", "2 * number")


def kept(folder):
    return sorted(folder.glob("__pycache__/*.nb*"))


def hits(compiled):
    return sum(compiled.stats.cache_hits.values())


def test_an_entry_is_kept_on_disk_and_found_again(double, tmp_path):
    assert compilation.entry(double)(4) == 8
    assert len(kept(tmp_path)) == 1
    again = compilation.entry(double)
    assert again(4) == 8
    assert hits(again) == 1


def test_each_signature_has_a_file_of_its_own(double, tmp_path):
    compiled = compilation.entry(double)
    assert compiled(4) == 8 and compiled(4.5) == 9.0
    assert len(kept(tmp_path)) == 2
    again = compilation.entry(double)
    assert again(4.5) == 9.0 and again(4) == 8 and hits(again) == 2


def test_what_was_compiled_of_other_sources_is_deleted(double, tmp_path, monkeypatch):
    compilation.entry(double)(4)
    triple = function_in_file(tmp_path / "tripling.py", "triple", "3 * number")
    compilation.entry(triple)(4)
    gone = function_in_file(tmp_path / "halving.py", "half", "number / 2")
    compilation.entry(gone)(4)
    (tmp_path / "halving.py").unlink()
    (tmp_path / "__pycache__" / "doubling.double-1.py311.1.nbc").write_bytes(b"of numba's cache")
    assert len(kept(tmp_path)) == 4
    monkeypatch.setattr(kernel_cache, "digest_of_sources", lambda module: 16 * "0")
    again = compilation.entry(double)
    assert again(4) == 8 and not hits(again)
    doubling, tripling = kept(tmp_path)
    assert doubling.name.startswith("doubling.double.0000000000000000-")
    assert tripling.name.startswith("tripling.triple.")  # of sources that have not changed


def test_what_numba_was_told_to_check_belongs_to_the_key(double, tmp_path, monkeypatch):
    compilation.entry(double)(4)
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    again = compilation.entry(double)
    assert again(4) == 8 and not hits(again)
    assert len(kept(tmp_path)) == 2


def test_nothing_is_kept_of_sources_that_have_changed_since_they_were_imported(double, tmp_path):
    compiled = compilation.entry(double)
    with open(tmp_path / "doubling.py", "a") as file:
        file.write("# edited\n")
    assert compiled(4) == 8
    assert not kept(tmp_path)


def test_what_is_compiled_again_on_demand_is_not_what_was_kept(double, tmp_path):
    compiled = compilation.entry(double)
    compiled(4)
    (file,) = kept(tmp_path)
    file.write_bytes(b"")
    compiled.recompile()
    assert compiled(4) == 8
    again = compilation.entry(double)
    assert again(4) == 8 and hits(again) == 1


def with_checksum(payload):
    return hashlib.sha256(payload).digest() + payload


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "short": lambda content: content[:5],
    "garbage": lambda content: bytes(range(256)) * 4,
    "a flipped bit": lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
    "no pickle": lambda content: with_checksum(b"no pickle"),
    "another pickle": lambda content: with_checksum(pickle.dumps((1, 2))),
    "three parts": lambda content: with_checksum(pickle.dumps((1, 2, 3))),
    "no such module": lambda content: with_checksum(b"cno_such_module\nname\n."),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_replaced(double, tmp_path, caplog, damage):
    compilation.entry(double)(4)
    (file,) = kept(tmp_path)
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with caplog.at_level(logging.WARNING):
        damaged = compilation.entry(double)
        assert damaged(4) == 8 and damaged(5) == 10 and not hits(damaged)
    assert caplog.text.count(str(file)) == 1 and "is compiled again" in caplog.text
    again = compilation.entry(double)
    assert again(4) == 8 and hits(again) == 1


def test_the_code_of_another_signature_is_not_taken_for_ours(double, tmp_path):
    compilation.entry(double)(4)
    (of_integers,) = kept(tmp_path)
    compilation.entry(double)(4.5)
    (of_floats,) = set(kept(tmp_path)) - {of_integers}
    shutil.copy(of_integers, of_floats)
    again = compilation.entry(double)
    assert again(4.5) == 9.0 and not hits(again)


def test_a_folder_in_place_of_a_file_is_no_reason_to_fail(double, tmp_path, caplog, monkeypatch):
    compilation.entry(double)(4)
    (file,) = kept(tmp_path)
    file.unlink()
    file.mkdir()
    monkeypatch.setattr(kernel_cache.WARNING, "was_logged", False)
    with caplog.at_level(logging.WARNING):
        assert compilation.entry(double)(4) == 8
    assert str(file) in caplog.text and "cannot be kept" in caplog.text


def test_a_full_disk_is_told_once(double, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(kernel_cache.WARNING, "was_logged", False)
    compiled = compilation.entry(double)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # bytes that a file may have
    try:
        with caplog.at_level(logging.WARNING):
            assert compiled(4) == 8 and compiled(4.5) == 9.0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caplog.text.count("cannot be kept") == 1 and str(tmp_path) in caplog.text
    assert "NUMBA_CACHE_DIR" in caplog.text
    assert not kept(tmp_path)


def test_a_folder_that_is_gone_or_no_folder_is_no_reason_to_fail(double, tmp_path, caplog):
    compiled = compilation.entry(double)
    shutil.rmtree(tmp_path / "__pycache__")
    assert compiled(4) == 8 and len(kept(tmp_path)) == 1
    shutil.rmtree(tmp_path / "__pycache__")
    (tmp_path / "__pycache__").write_text("no folder")
    assert compiled(4.5) == 9.0


def test_who_failed_to_compile_is_not_waited_for_without_end(double, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache, "PATIENCE", 0.1)
    failed, other = compilation.entry(double), compilation.entry(double)
    for compiled in (failed, other):
        with pytest.raises(numba.TypingError):
            compiled(None)
    monkeypatch.setattr(kernel_cache, "PATIENCE", 1000)
    with pytest.raises(numba.TypingError):
        failed(None)  # does not wait for itself
    assert failed(4) == 8 and [path.suffix for path in kept(tmp_path)] == [".nbc"]


def test_what_killed_processes_left_unfinished_does_not_pile_up(double, tmp_path):
    compilation.entry(double)(4)
    (file,) = kept(tmp_path)
    abandoned, at_work = (file.with_name(f"{file.name}.tmp-{number}") for number in range(2))
    abandoned.write_bytes(b"half")
    at_work.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    compilation.entry(double)(4.5)
    assert not abandoned.exists() and at_work.exists()


def test_the_sources_of_a_kernel_are_those_that_its_module_imports(package, monkeypatch):
    nn = package / "spigot_allennlp" / "nn"
    monkeypatch.setattr(kernel_cache, "ROOT", nn)
    monkeypatch.setattr(kernel_cache, "imported_files", kernel_cache.imported_files.__wrapped__)

    def digest():
        return kernel_cache.digest_of_sources(nn / "eisner" / "caller.py")

    before = digest()
    (nn / "eisner" / ".#caller.py").symlink_to("editor@host.1234")
    (nn / "eisner" / "other.py").write_text("")
    (nn / "arcs.py").unlink()
    assert digest() == before  # nothing of this is imported by the caller
    (nn / "compilation.py").write_text((nn / "compilation.py").read_text() + "# edited")
    assert digest() != before
    second = digest()
    (nn / "eisner" / "inner" / "callee.py").unlink()
    assert digest() != second


def test_every_import_of_a_kernels_module_is_found():
    module = NN / "eisner" / "caller.py"
    imported = kernel_cache.imported_files(
        b"import numpy, spigot_allennlp.nn.arcs\n"
        b"from spigot_allennlp.nn.eisner import (\n    kernels,\n    sums as other,\n)\n"
        b"def later():\n    from spigot_allennlp.nn import instances\n"
    )
    for name in ("arcs", "eisner/kernels", "eisner/sums", "instances"):
        assert NN / f"{name}.py" in imported
    assert NN / "eisner" / "__init__.py" in imported
    assert kernel_cache.digest_of_sources(module) == kernel_cache.digest_of_sources(module)


CALLER = """
from spigot_allennlp.nn.compilation import entry
from spigot_allennlp.nn.eisner.inner.callee import factor

@entry
def multiple(number):
    return factor() * number
"""
CALLEE = """
from spigot_allennlp.nn.compilation import kernel

@kernel
def factor():
    return {}
"""
MAIN = """
from spigot_allennlp.nn.eisner.caller import multiple
print(multiple(10), sum(multiple.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of `nn`, with a kernel that calls another one in a folder below its own."""
    (tmp_path / "spigot_allennlp").mkdir()
    (tmp_path / "spigot_allennlp" / "__init__.py").touch()
    copy = tmp_path / "spigot_allennlp" / "nn"
    shutil.copytree(NN, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "eisner" / "caller.py").write_text(CALLER)
    (copy / "eisner" / "inner").mkdir()
    (copy / "eisner" / "inner" / "callee.py").write_text(CALLEE.format(2))
    return tmp_path


def start(package, **environment):
    """A process that prints ten times the factor, and how often it loaded what was kept."""
    return subprocess.Popen(
        [sys.executable, "-B", "-W", "ignore", "-c", MAIN],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.strip(), errors


def test_an_edit_of_a_nested_callee_is_seen_and_so_is_its_repair_with_an_old_date(package):
    callee = package / "spigot_allennlp" / "nn" / "eisner" / "inner" / "callee.py"
    assert finish(start(package))[0] == "20 0"
    callee.write_text(CALLEE.format(3))
    assert finish(start(package))[0] == "30 0"
    callee.write_text(CALLEE.format(2))
    os.utime(callee, (1e9, 1e9))
    assert finish(start(package))[0] == "20 0"
    files = list(package.rglob("*.nb?"))
    assert len(files) == 1, files


def test_of_processes_that_need_it_at_once_one_compiles(package, tmp_path):
    elsewhere = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    outputs = []
    for process in [start(package, **elsewhere) for _ in range(3)]:
        output, errors = finish(process)
        assert "cannot" not in errors
        outputs.append(output)
    assert sorted(outputs) == ["20 0", "20 1", "20 1"]  # compiled once
    (file,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    file.write_bytes(file.read_bytes()[:1000])
    output, errors = finish(start(package, **elsewhere))
    assert output == "20 0" and str(file) in errors
