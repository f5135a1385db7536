"""
What `setup.cfg` cannot say: a line that starts `spigot_allennlp_startup` belongs in site-packages.

Regular and editable installations both install a wheel. Each wheel gets one more file at its root.
"""

import base64
import hashlib
from pathlib import Path
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


def add_startup_file(wheel: Path) -> None:
    """Adds the file to a wheel, and to the wheel's list of files."""
    with ZipFile(wheel) as archive:
        contents = {item: archive.read(item) for item in archive.infolist()}
    digest = base64.urlsafe_b64encode(hashlib.sha256(STARTUP_LINE.encode()).digest()).rstrip(b"=")
    row = f"{STARTUP_FILE},sha256={digest.decode()},{len(STARTUP_LINE)}\n"
    with ZipFile(wheel, "w", ZIP_DEFLATED) as archive:
        archive.writestr(STARTUP_FILE, STARTUP_LINE)
        for item, content in contents.items():
            is_list = item.filename.endswith(".dist-info/RECORD")
            archive.writestr(item, row.encode() + content if is_list else content)


class BuildWheel(bdist_wheel):
    def run(self) -> None:
        super().run()
        add_startup_file(newest_wheel(self.dist_dir))


class BuildEditableWheel(editable_wheel):
    def run(self) -> None:
        super().run()
        add_startup_file(newest_wheel(self.dist_dir))


def newest_wheel(folder: str) -> Path:
    return max(Path(folder).glob("spigot_allennlp-*.whl"), key=lambda wheel: wheel.stat().st_mtime)


setup(cmdclass={"bdist_wheel": BuildWheel, "editable_wheel": BuildEditableWheel})
