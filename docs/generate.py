"""Writes docs/components from the components' own docstrings, so that a page says what the code says.

    python docs/generate.py

No provider's SDK is imported: docstrings, annotations and defaults are read from the source, where the string below a
field is its description. The index says which component each cloud has, and what its regions are built of.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ROOT / "components"
PAGES = ROOT / "docs" / "components"
CLOUDS = {"azure": "Azure", "gcp": "Google Cloud", "aws": "AWS", "kubernetes": "Kubernetes"}
"""Folder of a provider's components, and its name."""

sys.path.insert(0, str(ROOT))
from components.spec.parts import PARTS  # noqa: E402 - found once the root is on the path


@dataclass(frozen=True)
class Page:
    """One component of one cloud."""

    cloud: str
    component: str
    summary: str
    file: str
    text: str


BEYOND = """## Beyond the inputs

`import_ids` takes over what exists already. It names a child by what follows the component's name in the child's own:
`import_ids={"vault": "<the cloud's id>"}` adopts `keys-vault` of the component `keys`. The adopted child is protected;
a name that no child has is refused.

`opts=pulumi.ResourceOptions(transforms=[change])` changes what no input offers. `change` gets each child before it is
registered, and gives back its properties and options; the policies judge what it made of them."""
"""What holds for every component, and stands on every page."""


def pages() -> dict[str, str]:
    """Every page by file name, the index included."""
    found = [page for folder, cloud in CLOUDS.items() for page in _pages_of(folder, cloud)]
    return {"README.md": _index(found)} | {page.file: page.text for page in found}


def _pages_of(folder: str, cloud: str) -> Iterator[Page]:
    sources = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((COMPONENTS / folder).glob("*.py"))}
    modules = [ast.parse((COMPONENTS / "component.py").read_text(encoding="utf-8")), *sources.values()]
    classes = {node.name: node for module in modules for node in module.body if isinstance(node, ast.ClassDef)}
    for source, module in sources.items():
        for node in module.body:
            if isinstance(node, ast.ClassDef) and f"{node.name}Args" in classes:
                title = f"{cloud} {_words(node.name)}"
                yield Page(
                    cloud=cloud,
                    component=_words(node.name),
                    summary=_one_line(ast.get_docstring(module) or ""),
                    file=f"{folder}-{source.stem.replace('_', '-')}.md",
                    text=_page(title, source, node, list(_with_bases(classes[f"{node.name}Args"], classes))),
                )


def _with_bases(args: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    """The class with its own inputs, then those whose inputs it inherits."""
    yield args
    for base in args.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            yield from _with_bases(classes[base.id], classes)


def _index(found: list[Page]) -> str:
    clouds = list(dict.fromkeys(page.cloud for page in found))
    there = {(page.component, page.cloud): page.file for page in found}
    lines = [
        "# Components",
        "",
        "Generated from the code by `python docs/generate.py`.",
        "",
        "## What exists where",
        "",
    ]
    lines += [f"| component | {' | '.join(clouds)} |", f"| --- |{' --- |' * len(clouds)}"]
    for component in sorted({page.component for page in found}):
        cells = [there.get((component, cloud)) for cloud in clouds]
        lines.append(f"| {component} | {' | '.join(f'[yes]({file})' if file else '–' for file in cells)} |")
    lines += ["", "## What the machines of a region can be", "", "| cloud | TEE | GPU | groups | clusters | none |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for folder, cloud in CLOUDS.items():
        if cloud in clouds:
            parts = PARTS[folder]
            flags = " | ".join("yes" if flag else "–" for flag in (parts.groups, parts.clusters, parts.keys_and_log))
            lines.append(f"| {cloud} | {', '.join(parts.tees)} | {', '.join(parts.gpus)} | {flags} |")
    lines += ["", "Where a size, a TEE or a GPU is offered is the catalogue's to say: `bailiwick catalog machines`."]
    for cloud in clouds:
        lines += ["", f"## {cloud}", ""]
        lines += [f"- [{page.component}]({page.file}): {page.summary}" for page in found if page.cloud == cloud]
    return "\n".join(lines) + "\n"


def _page(title: str, source: Path, component: ast.ClassDef, args: list[ast.ClassDef]) -> str:
    code = source.relative_to(ROOT).as_posix()
    test = f"tests/{source.parent.relative_to(ROOT).as_posix()}/test_{source.name}"
    links = [f"[code](../../{code})"]
    if (ROOT / test).is_file():
        links.append(f"[tests](../../{test})")
    lines = [
        f"# {title}",
        "",
        _paragraphs(inspect.cleandoc(ast.get_docstring(component) or "")),
        "",
        " · ".join(links),
        "",
        "## Inputs",
        "",
        "| input | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{field}` | {_code(kind)} | {_code(default) if default else 'required'} | {meaning} |"
        for inputs in args
        for field, kind, default, meaning in _fields(inputs)
    ]
    lines += ["", "## Outputs", "", "| output | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{field}` | {_code(kind)} | {meaning} |" for field, kind, _, meaning in _fields(component)]
    lines += ["", _paragraphs(BEYOND)]
    return "\n".join(lines) + "\n"


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and description of each annotated field."""
    for field, following in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            default = ast.unparse(field.value) if field.value else ""
            if default.startswith("field("):  # says how a field is shown, not what it is by default
                default = ""
            yield field.target.id, ast.unparse(field.annotation), default, _description(following)


def _description(statement: ast.stmt) -> str:
    """The string that stands below a field, or nothing."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return _one_line(str(statement.value.value))
    return ""


def _words(name: str) -> str:
    """`SovereignNetwork` as `sovereign network`; `ConfidentialVm` as `confidential VM`."""
    words = re.findall(r"[A-Z][a-z]*", name)
    return " ".join("VM" if word == "Vm" else word.lower() for word in words)


def _paragraphs(docstring: str) -> str:
    """The docstring with each paragraph on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in docstring.split("\n\n"))


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def main() -> int:
    written = pages()
    PAGES.mkdir(exist_ok=True)
    for stale in {page.name for page in PAGES.glob("*.md")} - set(written):
        (PAGES / stale).unlink()
    for name, text in written.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
