"""The site of the documentation is built without a warning: of links, anchors, cross-references."""

import importlib.util
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT = os.environ | {"NO_MKDOCS_2_WARNING": "1"}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="pip install '.[docs]' was not done"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=BUILT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


class Page(HTMLParser):
    """The text of a page, its links, and the addresses of what it loads."""

    def __init__(self, file):
        super().__init__()
        self.text, self.links, self.loaded = "", [], []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        address = dict(attributes).get("href" if tag in ("a", "link") else "src", "")
        (self.links if tag == "a" else self.loaded).append(address)

    def handle_data(self, data):
        self.text += data


def test_every_module_is_in_the_reference(site):
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in (ROOT / "spigot_allennlp").rglob("[a-z]*.py")
    }
    pages = "".join(file.read_text(encoding="utf-8") for file in (site / "api").iterdir())
    assert {name for name in modules if f'id="{name}"' not in pages} == set()


def test_docstrings_are_shown_as_parameters_and_links(site):
    page = Page(site / "api/spigot_allennlp.estimators.html")
    assert "# Parameters" not in page.text
    assert "step_size : float, optional (default = 1.0)" in page.text
    assert any(
        link.endswith("#spigot_allennlp.structures.structure.Structure") for link in page.links
    )


def test_links_of_the_repository_lead_to_pages_of_the_site(site):
    assert "docs/" not in "".join(link for link in Page(site / "index.html").links)
    links = Page(site / "architecture.html").links
    assert "files/tests/architecture_test.py.html" in links
    assert "CONTRIBUTING.html" in links
    links = Page(site / "reference.html").links
    assert "api/spigot_allennlp.estimators.html#spigot_allennlp.estimators.spigot.Spigot" in links


def test_no_tag_of_a_page_loads_anything_from_elsewhere(site):
    # This says nothing of scripts: in each notebook nbconvert has one that would import Mermaid
    # from a server, if the page had a diagram.
    for file in site.rglob("*.html"):
        loaded = Page(file).loaded
        assert not [address for address in loaded if address.startswith(("http", "//"))], file
