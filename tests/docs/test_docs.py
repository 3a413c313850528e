"""The documentation is complete, and what it shows works."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from lucency.data.codes import EXPLANATIONS
from lucency.errors import LucencyError
from lucency.report.glossary import GLOSSARY
from lucency.study.plan import every_setting, read_plan, section_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """Load the script that writes the pages made from the code."""
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Find the code of one language in all pages, with the name of its page."""
    for page in PAGES:
        for indent, name, code in FENCE.findall(page.read_text("utf-8")):
            if name == language:
                yield page.name, "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))


def plans() -> list[tuple[str, str]]:
    """Find every plan that a page shows whole."""
    return [(page, code) for page, code in blocks("yaml") if "task:" in code]


def headings(page: Path, hooks: ModuleType) -> set[str]:
    """Return the anchors of a page, as MkDocs makes them."""
    found = set()
    text = FENCE.sub("", hooks.on_page_markdown(page.read_text("utf-8")))
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        named = re.search(r"\{#([\w-]+)\}", title)
        plain = re.sub(r"[^\w\s-]", "", title).strip().lower()
        found.add(named.group(1) if named else re.sub(r"[\s-]+", "-", plain))
    return found


def fields_of(file: str, name: str) -> list[str]:
    """Return the fields of a dataclass without importing its module, which may need torch."""
    tree = ast.parse((ROOT / "src" / "lucency" / file).read_text("utf-8"))
    kind = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return [node.target.id for node in kind.body if isinstance(node, ast.AnnAssign)]


def test_every_setting_is_documented(hooks):
    """A setting that nobody can look up might as well not exist."""
    page = hooks.plan()
    for place, field in every_setting():
        *section, name = place
        assert field.description, f"{'.'.join(place)} has no docstring"
        table = re.split(r"^## ", page, flags=re.MULTILINE)
        heading = f"`{'.'.join(section)}` " if section else "The whole plan "
        rows = next(part for part in table if part.startswith(heading))
        assert f"| `{name}` |" in rows
        if section_of(field):
            assert f"## `{'.'.join(place)}`" in page


def test_the_page_of_the_plan_tells_defaults_and_limits(hooks):
    """The table must say what the program does when nothing is said, and what it accepts."""
    page = hooks.plan()
    assert "| `epochs` | `30` | whole number from 1 |" in page
    assert "| `rule` | `youden` | `youden`, `sensitivity`, `specificity`, `fixed` |" in page
    assert "| `zoom` | `[0.9, 1.1]` | [number, number] |" in page
    assert "| `images` | **must be given** | text |" in page


def test_every_command_and_option_is_documented(hooks):
    """sqlite-utils taught it: a command without documentation is refused by a test."""
    import typer

    from lucency.cli.app import app

    page = hooks.commands()

    def check(command: object, name: str) -> None:
        assert f"# `{name}`\n" in page
        assert command.help
        for parameter in command.params:
            assert parameter.help, f"{name} does not explain {parameter.name}"
            if parameter.param_type_name == "option":
                assert f"`{parameter.opts[0]}" in page
        for verb, inner in getattr(command, "commands", {}).items():
            check(inner, f"{name} {verb}")

    for verb, command in typer.main.get_command(app).commands.items():
        check(command, f"lucency {verb}")


def test_every_command_that_is_shown_exists():
    """A reader types what is shown."""
    import typer

    from lucency.cli.app import app

    verbs = typer.main.get_command(app).commands
    shown = [
        line.split("#")[0].split()[2:]
        for _, code in blocks("console")
        for line in code.splitlines()
        if line.startswith("$ lucency ")
    ]
    assert len(shown) >= 10
    for verb, *words in shown:
        command = getattr(verbs[verb], "commands", {}).get(words[0] if words else "", verbs[verb])
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_every_code_error_and_term_is_documented(hooks):
    """Whoever meets a code in cohort.csv must find it."""
    codes, errors, glossary = hooks.codes(), hooks.errors(), hooks.glossary()
    assert all(f"| `{code}` |" in codes for code in EXPLANATIONS)
    assert all(f"{{#{term.slug}}}" in glossary for term in GLOSSARY.values())
    families = [LucencyError]
    for family in families:
        families += family.__subclasses__()
        assert f"`{family.__name__}` | {family.exit_code} |" in errors


def test_every_generated_page_asks_for_its_content():
    """A mark that was lost would leave an empty page."""
    marks = {mark for page in PAGES for mark in re.findall(r"^\{\{ (\w+) \}\}$", page.read_text("utf-8"), re.MULTILINE)}
    assert marks == {"plan", "commands", "codes", "errors", "glossary"}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("domain/cohort.py", "CohortRow"),
        ("domain/cohort.py", "LabelRow"),
        ("domain/cohort.py", "SplitRow"),
        ("domain/estimate.py", "Estimate"),
        ("training/course.py", "Epoch"),
        ("training/adversarial_course.py", "Round"),
        ("study/synthesis/giving.py", "Given"),
        ("provenance.py", "Entry"),
    ],
)
def test_every_column_of_the_study_folder_is_documented(file, name):
    """The tables are read by people who do not read the code."""
    page = (DOCS / "reference" / "folder.md").read_text("utf-8")
    assert [field for field in fields_of(file, name) if f"`{field}`" not in page] == []


@pytest.mark.parametrize(("page", "code"), plans(), ids=lambda text: text if text.endswith(".md") else "plan")
def test_every_plan_that_is_shown_is_valid(page, code, tmp_path):
    """A reader copies what is shown."""
    (tmp_path / "study.yaml").write_text(code, "utf-8")
    read_plan(tmp_path / "study.yaml")


def test_plans_are_shown():
    """Guard the search for plans: finding none would make the test above empty."""
    assert len(plans()) >= 10


def test_settings_written_inside_a_sentence_exist():
    """`training.epochs` in a sentence must be a setting of the plan."""
    known = {".".join(place) for place, _ in every_setting()}
    sections = {place.split(".")[0] for place in known}
    for page in PAGES:
        for word in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", page.read_text("utf-8")):
            if word.split(".")[0] in sections - {"lucency", "report"} and not word.endswith(
                (".py", ".html", ".yaml", ".csv", ".json")
            ):
                assert word in known, f"{page.name}: {word}"


@pytest.mark.parametrize(
    ("page", "code"), list(blocks("python")), ids=lambda text: text if text.endswith(".md") else "code"
)
def test_python_that_is_shown_runs(page, code, capsys):
    """What reads a study is compiled; what needs none is run."""
    compiled = compile(code, page, "exec")
    if "study.yaml" not in code:
        exec(compiled, {})
        assert capsys.readouterr().out
    else:
        imports = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), page, "exec"), {})


@pytest.mark.parametrize(
    "page",
    [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))],
    ids=lambda path: path.name,
)
def test_every_link_resolves(page, hooks):
    """A dead link is a broken promise; links to the outside are not followed."""
    for target in LINK.findall(FENCE.sub("", hooks.on_page_markdown(page.read_text("utf-8")))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in headings(linked, hooks), f"{page.name} links to {target}"


def test_every_page_stands_in_the_contents():
    """A page that the navigation lacks is never found."""

    def pages(nav: object) -> Iterator[str]:
        for entry in nav:
            value = next(iter(entry.values())) if isinstance(entry, dict) else entry
            yield from pages(value) if isinstance(value, list) else [value]

    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert sorted(pages(settings["nav"])) == [page.relative_to(DOCS).as_posix() for page in PAGES]


def test_the_site_needs_no_network():
    """Hospitals block the outside: no fonts, scripts or analytics from elsewhere."""
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert settings["theme"]["font"] is False
    assert not {"extra_javascript", "google_analytics"} & settings.keys()
    assert "://" not in (DOCS / "style.css").read_text("utf-8")


def test_the_citation_names_this_version():
    """A citation with another version would point at another program."""
    from lucency import __version__

    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == __version__
