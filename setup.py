"""
What `setup.cfg` cannot say: a line that starts `spigot_allennlp_startup` belongs in site-packages,
and the configs of `training_config` belong in the package.

Regular and editable installations both install a wheel. Each wheel gets the file with that line at
its root; that of an editable one finds the configs where they are.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Dict
from zipfile import ZIP_DEFLATED, ZipFile

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.editable_wheel import editable_wheel

STARTUP_FILE = "spigot_allennlp.pth"

# The file may outlive the module, if somebody deletes that by hand; then the line does nothing.
STARTUP_LINE = (
    'import sys; exec("'
    "try:\\n from spigot_allennlp_startup import start\\n start()\\n"
    'except Exception:\\n pass")\n'
)
STARTUP = {STARTUP_FILE: STARTUP_LINE.encode()}


def add_files(wheel: Path, added: Dict[str, bytes]) -> None:
    """Adds files, content by name, to a wheel, and to the wheel's list of files."""
    with ZipFile(wheel) as archive:
        contents = {item: archive.read(item) for item in archive.infolist()}
    rows = "".join(
        f"{name},sha256={urlsafe_b64encode(sha256(content).digest()).rstrip(b'=').decode()},"
        f"{len(content)}\n"
        for name, content in added.items()
    )
    with ZipFile(wheel, "w", ZIP_DEFLATED) as archive:
        for name, content in added.items():
            archive.writestr(name, content)
        for item, content in contents.items():
            is_list = item.filename.endswith(".dist-info/RECORD")
            archive.writestr(item, rows.encode() + content if is_list else content)


def configs() -> Dict[str, bytes]:
    """Returns the configs by the names that they have in a wheel."""
    here = Path(__file__).parent
    files = sorted((here / "training_config").rglob("*.*sonnet"))
    return {
        f"spigot_allennlp/{file.relative_to(here).as_posix()}": file.read_bytes() for file in files
    }


class BuildWheel(bdist_wheel):
    def run(self) -> None:
        super().run()
        add_files(newest_wheel(self.dist_dir), {**STARTUP, **configs()})


class BuildEditableWheel(editable_wheel):
    def run(self) -> None:
        super().run()
        add_files(newest_wheel(self.dist_dir), STARTUP)


def newest_wheel(folder: str) -> Path:
    return max(Path(folder).glob("spigot_allennlp-*.whl"), key=lambda wheel: wheel.stat().st_mtime)


setup(cmdclass={"bdist_wheel": BuildWheel, "editable_wheel": BuildEditableWheel})
