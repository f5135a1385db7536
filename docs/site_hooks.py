"""
What the site has beyond the pages in docs/: pages of the repository's root, a page of each package
from its docstrings, and the files that a page links to. A link in docs/ is relative to its file, as
a repository shows it; here it is made to lead to these pages.
"""

import json
import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any, Dict

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "spigot_allennlp"
# Pages of the repository's root, by their names on the site.
ROOT_PAGES = {
    "README.md": "index.md",
    **{name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "THIRD_PARTY.md")},
}
# A class of these folders is registered under the name that a config says.
FOLDERS = ("structures", "estimators", "models", "modules")
REGISTERED = re.compile(r'^@\w+\.register\("(\w+)".*\)\n(?:@.*\n)*class (\w+)', re.MULTILINE)
LOG = get_plugin_logger("site_hooks")
LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")


def on_config(config: Any) -> Any:
    """Puts the pages of packages into the navigation."""
    for section in config.nav:
        if isinstance(section, dict) and "Reference" in section:
            section["Reference"].append({"Python": [*package_pages()]})
    return config


def on_files(files: Files, config: Any) -> Files:
    for source, name in ROOT_PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text("utf-8")))
    for name, content in package_pages().items():
        files.append(File.generated(config, name, content=content))
    linked = {
        target
        for page in files.documentation_pages()
        for _, link, _ in LINK.findall(page.content_string)
        if (target := normpath(f"{Path(repository_path(page)).parent}/{link}")) not in ROOT_PAGES
        and not target.startswith("docs/")
        and (ROOT / target).is_file()
    }
    for target in linked:
        language, text = Path(target).suffix[1:], (ROOT / target).read_text("utf-8")
        content = f"# {target}\n\n```{language}\n{text}\n```\n"
        files.append(File.generated(config, f"files/{target}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Makes links of the repository links of the site."""
    source = repository_path(page.file)

    def moved(match: "re.Match[str]") -> str:
        target = normpath(f"{Path(source).parent}/{match[2]}")
        if target in ROOT_PAGES:
            target = ROOT_PAGES[target]
        elif target.startswith("docs/"):
            target = target[len("docs/") :]
        elif (ROOT / target).is_file():
            target = f"files/{target}.md"
        else:
            return match[0]
        return f"{match[1]}{relpath(target, str(Path(page.file.src_uri).parent))}{match[3] or ''}"

    if source == "docs/reference.md":
        markdown = with_classes(markdown)
    return LINK.sub(moved, markdown)


def on_page_content(html: str, page: Any, files: Files, **_: Any) -> str:
    """Makes links of notebooks, which MkDocs does not look at, links of the site."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html

    def moved(match: "re.Match[str]") -> str:
        target = normpath(f"{Path(page.file.src_uri).parent}/{match[2]}")
        file = files.get_file_from_path(target)
        if file is None:
            LOG.warning("%s has a link to %s, which is not there.", page.file.src_uri, target)
            return match[0]
        return f"{match[1]}{file.url_relative_to(page.file)}"

    return re.sub(r'(href=")([^":#]+\.(?:md|ipynb))(?=[#"])', moved, html)


def with_classes(markdown: str) -> str:
    """Makes each registered name that begins a row of a table a link to its class."""
    classes = {
        name: f"spigot_allennlp.{folder}.{file.stem}.{kind}"
        for folder in FOLDERS
        for file in sorted((PACKAGE / folder).glob("*.py"))
        for name, kind in REGISTERED.findall(file.read_text("utf-8"))
    }

    def link(match: "re.Match[str]") -> str:
        return f"[{match[0]}][{classes[match[1]]}]" if match[1] in classes else match[0]

    def row(match: "re.Match[str]") -> str:
        return re.sub(r"`(\w+)`", link, match[0])

    return re.sub(r"^\| [^|]*\|", row, markdown, flags=re.MULTILINE)


def repository_path(file: File) -> str:
    """Returns where the source of a page is, relative to the repository."""
    at_root = {name: source for source, name in ROOT_PAGES.items()}
    return at_root.get(file.src_uri, f"docs/{file.src_uri}")


def package_pages() -> Dict[str, str]:
    """
    Returns a page for each folder of the package: the docstrings of its modules. What a package
    has from its modules, for others to import, is shown with the module.
    """
    pages = {}
    for init in sorted(PACKAGE.rglob("__init__.py")):
        name = ".".join(init.parent.relative_to(ROOT).parts)
        defined = re.findall(r"^(?:class|def) ([A-Za-z]\w*)", init.read_text("utf-8"), re.MULTILINE)
        options = {"members": defined, "show_root_heading": False, "show_root_toc_entry": False}
        modules = sorted(file.stem for file in init.parent.glob("[a-z]*.py"))
        pages[f"api/{name}.md"] = "\n\n".join(
            [
                f"---\ntitle: {name.partition('.')[2] or name}\n---",
                f"# `{name}`",
                f"::: {name}\n    options: {json.dumps(options)}",
                *(f"::: {name}.{module}" for module in modules),
            ]
        )
    return pages
