"""Writes docs/components from the components' own docstrings, so that a page says what the code says.

    python docs/generate.py

No provider's SDK is imported: docstrings, annotations and defaults are read from the source, where the string below a
field is its description. The index says which component each cloud has, and what its regions are built of. Examples are
cut from one program for each cloud (docs/examples): `#: PAGE N` begins the example of a page, whose component makes N
resources; `alone` in place of a number says that it needs a program of its own, and makes what its stack file says.
`#: PAGE N TITLE` begins a further one of the same page.
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
EXAMPLES = ROOT / "docs" / "examples"
BEGINNING = "README"
"""The part of a program that every example needs."""
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


@dataclass(frozen=True)
class Example:
    """One page's part of its cloud's program. `resources` is how many are made inside of its component, None for one
    that runs in a program of its own. `title` says what a further example of a page shows."""

    page: str
    resources: int | None
    title: str
    code: str


def examples(folder: str) -> list[Example]:
    """The examples of one cloud, in the order in which they run; the first is what they all need."""
    program = (EXAMPLES / f"{folder}.py").read_text(encoding="utf-8")
    found = []
    for part in re.split(r"^#: ", program, flags=re.MULTILINE)[1:]:
        heading, _, code = part.partition("\n")
        page, _, rest = heading.partition(" ")
        made, _, title = rest.partition(" ")
        found.append(Example(page, int(made) if made.isdigit() else None, title, code.strip() + "\n"))
    return found


def pages() -> dict[str, str]:
    """Every page by file name, the index included."""
    found = [page for folder, cloud in CLOUDS.items() for page in _pages_of(folder, cloud)]
    return {"README.md": _index(found)} | {page.file: page.text for page in found}


def _pages_of(folder: str, cloud: str) -> Iterator[Page]:
    sources = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((COMPONENTS / folder).glob("*.py"))}
    modules = [ast.parse((COMPONENTS / "component.py").read_text(encoding="utf-8")), *sources.values()]
    classes = {node.name: node for module in modules for node in module.body if isinstance(node, ast.ClassDef)}
    known = examples(folder)
    for source, module in sources.items():
        for node in module.body:
            if isinstance(node, ast.ClassDef) and f"{node.name}Args" in classes:
                title, page = f"{cloud} {_words(node.name)}", f"{folder}-{source.stem.replace('_', '-')}"
                inputs = list(_with_bases(classes[f"{node.name}Args"], classes))
                yield Page(
                    cloud=cloud,
                    component=_words(node.name),
                    summary=_one_line(ast.get_docstring(module) or ""),
                    file=f"{page}.md",
                    text=_page(title, source, node, inputs)
                    + "".join(_example(one, cloud, known) for one in known if one.page == page),
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
    others = "Programs in YAML, TypeScript and others have the same components"
    lines += ["", f"{others}: [from other languages](../hosting.md)."]
    for folder, cloud in CLOUDS.items():
        lines += ["", f"## {cloud}", ""]
        lines += [f"- [{page.component}]({page.file}): {page.summary}" for page in found if page.cloud == cloud]
        lines += [
            "",
            f"The examples on these pages are [one program](../examples/{folder}.py), which begins:",
            "",
        ]
        lines += ["```python", examples(folder)[0].code + "```"]
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


def _example(example: Example, cloud: str, known: list[Example]) -> str:
    """The section with an example, which says where the names come from that it does not define."""
    used = {node.id for node in ast.walk(ast.parse(example.code)) if isinstance(node, ast.Name)}
    origins = [
        (_origin(one.page, cloud), names)
        for one in known
        if one != example and (names := sorted((used - _assigned(example.code)) & _assigned(one.code)))
    ]
    known_from = "; ".join(f"{', '.join(f'`{name}`' for name in names)} from {origin}" for origin, names in origins)
    count = "what its stack file asks for"
    if example.resources is not None:
        count = f"{example.resources} resource{'s' if example.resources != 1 else ''} inside of the component"
    heading = f"## Example: {example.title}" if example.title else "## Example"
    return "\n".join(["", heading, "", f"Makes {count}. Uses {known_from}.", "", "```python", example.code + "```", ""])


def _origin(page: str, cloud: str) -> str:
    """A link to where a name of an example comes from."""
    if page == BEGINNING:
        return f"[the beginning](README.md#{cloud.lower().replace(' ', '-')})"
    return f"[{page.partition('-')[2].replace('-', ' ')}]({page}.md)"


def _assigned(code: str) -> set[str]:
    """Names that a program's top level gives to values of its own."""
    return {
        target.id
        for statement in ast.parse(code).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


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
