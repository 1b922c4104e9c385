"""Writes docs/components from the components' own docstrings, so that a page says what the code says.

    python docs/generate.py

Nothing is imported: docstrings, annotations and defaults are read from the source, where the string below a field is
its description.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ROOT / "components" / "azure"
PAGES = ROOT / "docs" / "components"
CLOUD = "Azure"


def pages() -> dict[str, str]:
    """Every page by file name, the index included."""
    found: dict[str, tuple[str, str]] = {}
    for source in sorted(COMPONENTS.glob("*.py")):
        module = ast.parse(source.read_text(encoding="utf-8"))
        classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
        for name, node in classes.items():
            if f"{name}Args" in classes:
                title = f"{CLOUD} {_words(name)}"
                summary = _one_line(ast.get_docstring(module) or "")
                text = _page(title, source, node, classes[f"{name}Args"])
                found[f"azure-{source.stem.replace('_', '-')}.md"] = (f"{title}: {summary}", text)
    index = ["# Components", "", "Generated from the code by `python docs/generate.py`.", ""]
    index += [f"- [{line.partition(': ')[0]}]({file}): {line.partition(': ')[2]}" for file, (line, _) in found.items()]
    return {"README.md": "\n".join(index) + "\n"} | {file: text for file, (_, text) in found.items()}


def _page(title: str, source: Path, component: ast.ClassDef, args: ast.ClassDef) -> str:
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
        for field, kind, default, meaning in _fields(args)
    ]
    lines += ["", "## Outputs", "", "| output | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{field}` | {_code(kind)} | {meaning} |" for field, kind, _, meaning in _fields(component)]
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
