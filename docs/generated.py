"""Pages of the reference that are made from the source whenever the site is built; a hook for mkdocs.

None of these pages is committed, so none can be stale: checks come from the catalogue, limits from the policy, the
schema from `report.schema.json`, the command line from click, the API from docstrings.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mkdocs.structure.files import File

import meshguard
from meshguard.checks import CATALOGUE, plugin_failed
from meshguard.checks.registry import FAMILIES
from meshguard.cli import commands
from meshguard.policy import BUILT_IN, LIMITS
from meshguard.report import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

    from meshguard.checks import Check
    from meshguard.policy import Limit

DOCS = Path(__file__).parent

API = {
    "validation": ("Validate", "What runs the checks."),
    "queries": ("Ask a mesh", "Questions that are answered with arrays, without a report."),
    "io": ("Read and write", "Files in and out."),
    "io.labels": ("Labels", "Tooth labels, read and put on a mesh."),
    "fdi": ("Tooth numbers", "FDI, Universal and Palmer, and how prescriptions write them."),
    "metrics": ("Metrics", "How well a segmentation agrees with the truth."),
    "repair.labels": ("Mend labels", "Label islands, holes and ragged borders; proposals to renumber an arch."),
    "mesh": ("Mesh", "The mesh, and what reading it from a file saw."),
    "report": ("Report", "What a validation found."),
    "policy": ("Policy", "Which checks run, with which limits."),
    "repair": ("Repair", "The call that makes a mesh clean and proves it."),
    "repair.result": ("Repair's result", "What a repair did."),
    "budget": ("Budget", "How much a call may take."),
    "isolation": ("Isolate a call", "A call in a process that the system can stop."),
    "errors": ("Errors", "What is raised, and when."),
    "phantoms": ("Phantoms", "Synthetic arches, and defects to put into any mesh."),
    "interop": ("Other libraries", "To and from the objects of other libraries."),
    "render.markdown": ("Render as Markdown", "A report for a ticket."),
}
"""Module -> title of its page and what it is about; a module that is not named here gets a page too."""

ALSO = {
    "mesh": ("Source", "Irregularity"),
    "report": ("LimitInForce", "grade_of", "schema", "MAX_JSON_INDICES", "MAX_JSON_FINDINGS"),
    "policy": ("Tolerance", "Limit", "policy"),
    "phantoms": ("mutate", "Truth"),
    "io.labels": (
        "read_labels",
        "Labels",
        "attach_labels",
        "fit_of",
        "misfit",
        "vertex_labels",
        "face_labels",
        "numbering_of",
        "read_palette",
        "save_labels",
    ),
    "metrics": ("SegmentationMetrics", "ToothMetrics", "ScanMetrics", "Interval"),
    "repair.result": ("StepRecord", "NotRepaired", "LabelChanges", "Renumbering"),
    "repair.labels": ("mend_labels", "MendedLabels", "propose_renumbering"),
}
"""Module -> names on its page that are imported from the module, not from `meshguard`."""

WHOLE = ("fdi", "interop", "render.markdown")
"""Modules that are shown with everything public in them."""

SECTIONS = ("finding", "outcome", "limit")
"""Parts of the report's JSON that have a section of their own."""

CHECKS = (*CATALOGUE, plugin_failed)
"""The checks that the reference explains."""


# ---- the pages


def pages() -> dict[str, str]:
    """Path below docs/ -> Markdown, in the order of the navigation."""
    return {
        "reference/checks.md": checks_page(),
        "reference/policies.md": policies_page(),
        "reference/stats.md": stats_page(),
        "reference/schema.md": schema_page(),
        "reference/command-line.md": command_line_page(),
        "reference/repair.md": repair_page(),
        "reference/api/index.md": api_index_page(),
        **{f"reference/api/{_slug(module)}.md": api_page(module, names) for module, names in modules().items()},
    }


def checks_page() -> str:
    """Every check of the catalogue: title, explanation, limits."""
    lines = [
        "# Checks",
        "",
        f"There are {len(CHECKS)} checks. An id is permanent: a letter for the family and three digits; it is never "
        "given to another check. `meshguard explain S101` prints what is written here.",
        "",
        "A limit's source is a publication, a measurement, or the word *proposal*: a value chosen by the authors for "
        "which no published figure was found.",
        "",
        "| Id | Finds | Limits |",
        "|---|---|---|",
    ]
    families = dict.fromkeys(check.id[0] for check in CHECKS)
    ordered = [check for letter in families for check in sorted(CHECKS, key=_id) if check.id[0] == letter]
    for check in ordered:
        limits = ", ".join(f"`{name}`" for name in check.limits) or "none: the definition decides"
        lines.append(f"| [{check.id}](#{check.id.lower()}) | {_cell(check.title)} | {limits} |")
    for letter in families:
        name = FAMILIES[letter]
        module = inspect.getmodule(next(check for check in CATALOGUE if check.id[0] == letter).run)
        about = inspect.cleandoc((module and module.__doc__) or "").partition(": ")[2].split("\n\n")[0]
        lines += ["", f"## {letter}: {name}", "", _sentence(about), ""]
        for check in ordered:
            if check.id[0] == letter:
                lines += _check(check)
    reserved = [f"{letter} ({name})" for letter, name in FAMILIES.items() if letter not in families]
    if reserved:
        lines += ["", "## Reserved letters", "", f"For future checks: {', '.join(reserved)}.", ""]
    return "\n".join(lines)


def _check(check: Check) -> Iterator[str]:
    """The section of one check."""
    yield f"### {check.id} {check.title} {{ #{check.id.lower()} }}"
    yield ""
    yield check.explanation
    yield ""
    needs = {
        "frame": "It needs an arch whose biting side is known.",
        "source": "It runs on a mesh that was read from a file, not on one made from arrays.",
        "faces": "It needs a mesh with faces.",
        "labels": "It needs tooth labels, of any numbering.",
        "fdi": "It needs tooth labels that are FDI numbers.",
        "jaw": "It needs tooth labels that are FDI numbers, most of them of one jaw.",
        "instances": "It also needs instance numbers beside the labels.",
    }
    said = [needs[need] for need in check.needs if need != "faces" and need in needs]
    if said:
        yield from [" ".join(said), ""]
    if check.limits:
        yield from ["| Limit | Default | Meaning | Source |", "|---|---|---|---|"]
        for name, limit in check.limits.items():
            yield f"| `{name}` | {_default(limit)} | {_cell(limit.meaning)} | {_source(limit.source)} |"
        yield ""


def policies_page() -> str:
    """The built-in policies, and every limit with its source."""
    plain = {name: policy.to_dict() for name, policy in BUILT_IN.items()}
    keys = [key for key in next(iter(plain.values())) if key not in ("name", "limits")]
    lines = [
        "# Policies and limits",
        "",
        "## Built-in policies",
        "",
        "The value of every key in each of them. [How to choose or write a policy](../howto/policy.md).",
        "",
        f"| Key | {' | '.join(f'`{name}`' for name in plain)} |",
        f"|---|{'---|' * len(plain)}",
    ]
    for key in keys:
        cells = [_shown(plain[name][key]) for name in plain]
        lines.append(f"| `{key}` | {' | '.join(cells)} |")
    differing = [name for name in LIMITS if len({plain[policy]["limits"][name] for policy in plain}) > 1]
    lines += ["", _differing(differing), "", "## Limits", ""]
    lines += [
        "Lengths are in mm, areas in mm², angles in degrees; the name ends with the unit. A `_fraction` bounds the "
        "limit beside it, as [Tolerances](../explanation/tolerances.md) explains. *Proposal* means that no published "
        "figure was found.",
        "",
        "| Limit | Default | Meaning | Source | Read by |",
        "|---|---|---|---|---|",
    ]
    for name, limit in LIMITS.items():
        readers = [check.id for check in CHECKS if name in check.limits]
        links = ", ".join(f"[{id_}](checks.md#{id_.lower()})" for id_ in readers) or "repair"
        row = (f"`{name}` {{ #{name} }}", _default(limit), _cell(limit.meaning), _source(limit.source), links)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, ""])


def _differing(names: list[str]) -> str:
    """Which limits differ between the built-in policies."""
    if not names:
        return "All of them have the same limits, which are listed below."
    return f"They differ in these limits: {', '.join(f'`{name}`' for name in names)}. The defaults are below."


def stats_page() -> str:
    """The keys of a report's `stats`: what each counts, and its value for one arch."""
    values = example_stats()
    defined = stats_definitions()
    lines = [
        "# Stats",
        "",
        "`report.stats` holds these numbers for every mesh. They are counted on positions, not on vertex numbers: a "
        "soup, a welded and an unwelded file of one surface have the same numbers. Faces with a non-finite corner take "
        "no part. Degenerate faces take part in all of them except `duplicate_pairs`; a face with a repeated corner "
        "counts in `faces` and `degenerate` only. The last column is for the arch that `meshguard phantom arch.ply` "
        "makes.",
        "",
        "| Key | Meaning | Example |",
        "|---|---|---|",
    ]
    for name, value in values.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
        lines.append(f"| `{name}` | {_cell(_sentence(defined.get(name, _by_name(name))))} | {shown} |")
    return "\n".join([*lines, ""])


def stats_definitions() -> dict[str, str]:
    """Key -> meaning, from the docstring of the function that counts; what cannot stand alone is said in full here."""
    from meshguard import validation

    alone = {
        "vertices": "distinct positions, whether a face uses them or not",
        "faces": "faces without a non-finite corner",
        "edges": "all edges, whatever number of faces they have",
        "boundary_groups": "sets of boundary edges that share positions",
        "boundary_loops": "chains of boundary edges along the surface's fans",
        "closed_components": "components without a boundary edge",
        "between_bodies": "intersecting pairs between two different closed components",
        "rims": "boundary loops that enclose their sheet",
        "tunnels": "handles (genus), summed over the components that have some",
    }
    doc = inspect.cleandoc(inspect.getdoc(validation._stats) or "")
    items = re.split(r"\n- ", doc.partition("\n- ")[2])
    found = {
        "mesh_vertices": "vertices of the mesh as it was given",
        "mesh_faces": "faces of the mesh as it was given",
        "area_mm2": "sum of the areas of the faces",
        "diagonal_mm": "diagonal of the bounding box of the faces' finite corners",
        **{f"extent_{axis}_mm": f"length of that box along {axis}" for axis in "xyz"},
    }
    for item in items:
        for part in re.split(r";\s+(?=[a-z_0-9]+: )", " ".join(item.split())):
            name, colon, meaning = part.partition(": ")
            for each in re.split(r",\s*| and ", name):
                if colon and re.fullmatch(r"[a-z_0-9]+", each):
                    found[each] = alone.get(each, meaning)
    return found


@cache
def example_stats() -> dict[str, float | int]:
    """The stats of the arch that `meshguard phantom` writes by default."""
    return dict(meshguard.validate(meshguard.phantom()).stats)


def _by_name(name: str) -> str:
    return name.replace("_", " ")


def schema_page() -> str:
    """The report's JSON, from its schema."""
    whole = schema()
    lines = [
        "# Report as JSON",
        "",
        f"{whole['description']} The schema is JSON Schema, draft 2020-12: `meshguard.report.schema()`, or the file "
        "`report.schema.json` in the installed package. `Report.to_json()` writes canonical JSON: keys sorted, floats "
        "in their shortest form that reads back the same, one line, no clock, no path, no text of the file.",
        "",
        "## Report",
        "",
        *_properties(whole),
    ]
    for name in SECTIONS:
        part = whole["$defs"][name]
        lines += ["", f"## {name.capitalize()}", "", part["description"], "", *_properties(part)]
    lines += ["", "## Words and ids", "", "| Name | Form | Meaning |", "|---|---|---|"]
    for name, part in whole["$defs"].items():
        if part.get("type") != "object":
            lines.append(f"| {name} | {_form(part)} | {_cell(part['description'])} |")
    return "\n".join([*lines, ""])


def _properties(part: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The table of an object's fields, those of objects within it after their own."""
    if not above:
        yield from ["| Field | Form | Meaning |", "|---|---|---|"]
    for name, field in part["properties"].items():
        full = f"{above}{name}"
        optional = "" if name in part.get("required", ()) else " (may be absent)"
        yield f"| `{full}` | {_form(field)}{optional} | {_cell(field.get('description', ''))} |"
        if "properties" in field:
            yield from _properties(field, f"{full}.")


def _form(field: Mapping[str, Any]) -> str:
    """What a value looks like, in a few words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name if name in SECTIONS else 'words-and-ids'})"
    if "oneOf" in field:
        return " or ".join(_form(choice) for choice in field["oneOf"])
    if "enum" in field:
        return ", ".join("null" if word is None else f"`{word}`" for word in field["enum"])
    kind = field.get("type", "")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "pattern" in field:
        return f"{words} `{field['pattern']}`"
    if words == "array":
        size = f"{field['maxItems']} " if field.get("minItems") == field.get("maxItems") is not None else ""
        most = f", at most {field['maxItems']}" if "maxItems" in field and not size else ""
        return f"list of {size}{_form(field['items'])}{most}"
    inner = field.get("additionalProperties")
    if words == "object" and isinstance(inner, dict):
        return f"object: name → {_form(inner)}"
    if "minimum" in field:
        return (
            f"{words}, {field['minimum']} to {field['maximum']}"
            if "maximum" in field
            else f"{words} ≥ {field['minimum']}"
        )
    return words


def command_line_page() -> str:
    """Each command's own help, as it prints it."""
    lines = [
        "# Command line",
        "",
        "What each command prints for `--help`. [How to use it](../howto/command-line.md).",
        "",
        *_help(commands, "meshguard"),
    ]
    for name in commands.list_commands(click.Context(commands)):
        lines += ["", f"## meshguard {name}", "", *_help(commands.commands[name], f"meshguard {name}")]
    return "\n".join([*lines, ""])


def _help(command: click.Command, name: str) -> Iterator[str]:
    """The help text of a command."""
    help_names = ["-h", "--help"]
    with click.Context(command, info_name=name, help_option_names=help_names, terminal_width=92) as context:
        yield from ["```text", command.get_help(context), "```"]


def repair_page() -> str:
    """The plan of repair: every step in order, with the reason for its place."""
    from meshguard.repair.labels.steps import LABEL_STEPS
    from meshguard.repair.plan import MOST_PASSES, PLAN

    words = {
        "lossless": "moves and invents nothing",
        "local": "changes the surface locally, within the policy's limits",
        "inventive": "makes surface that was not scanned",
    }
    lines = [
        "# Steps of repair",
        "",
        f"The plan, in order. It is repeated until it changes nothing, at most {MOST_PASSES} times. A step that does "
        "not lower the number of defects of its kind is undone. [How to use it](../howto/repair.md), [how it "
        "works](../explanation/repair.md).",
        "",
        "| | Step | Repairs | What it does to the scan | Why here |",
        "|---|---|---|---|---|",
    ]
    for number, step in enumerate(PLAN, 1):
        mends = (
            ", ".join(f"[{check}](checks.md#{check.lower()})" for check in step.checks) or "what a save would change"
        )
        does = f"`{step.safety.value}`: {words[step.safety.value]}"
        lines.append(f"| {number} | {_cell(step.name)} | {mends} | {does} | {_cell(_sentence(step.why))} |")
    lines += ["", "Tooth labels are mended only on demand, after the mesh is sound:", ""]
    lines += ["| | Step | Mends | Why here |", "|---|---|---|---|"]
    for number, label_step in enumerate(LABEL_STEPS, 1):
        mends = ", ".join(f"[{check}](checks.md#{check.lower()})" for check in label_step.checks)
        lines.append(f"| {number} | {_cell(label_step.name)} | {mends} | {_cell(_sentence(label_step.why))} |")
    return "\n".join([*lines, ""])


# ---- the API


def modules() -> dict[str, list[str]]:
    """Module -> its names that the site shows, for every module that has a public name and is there."""
    found: dict[str, list[str]] = {}
    for name in meshguard.__all__:
        if name != "__version__":
            found.setdefault(_home(name), []).append(name)
    for module, names in ALSO.items():
        there = [name for name in names if hasattr(import_module(f"meshguard.{module}"), name)]
        found.setdefault(module, []).extend(name for name in there if name not in found[module])
    for module in WHOLE:
        if _is_there(module):
            found.setdefault(module, [])
    return {module: found[module] for module in (*API, *sorted(set(found) - set(API))) if module in found}


def _home(name: str) -> str:
    """The module that a public name comes from, below meshguard."""
    home: str = meshguard._HOMES[name] if name in meshguard._HOMES else getattr(meshguard, name).__module__
    return home.removeprefix("meshguard.")


def _is_there(module: str) -> bool:
    try:
        import_module(f"meshguard.{module}")
    except ImportError:
        return False
    return True


def api_index_page() -> str:
    """All public names with the first sentence of each."""
    lines = [
        "# API",
        "",
        "Everything listed can be imported from `meshguard` itself. Names load on first use: `import meshguard` does "
        "not start the compiler. Options are keyword-only.",
        "",
        "| Name | What it is |",
        "|---|---|",
    ]
    for module, names in modules().items():
        for name in names:
            if name in meshguard.__all__:
                link = f"{_slug(module)}.md#meshguard.{_target(module, name)}"
                lines.append(f"| [`{name}`]({link}) | {_cell(_summary(getattr(meshguard, name)))} |")
    lines += ["", "## By module", ""]
    lines += [
        f"- [{_title(module)}]({_slug(module)}.md): `meshguard.{module}`. {_about(module)}" for module in modules()
    ]
    return "\n".join([*lines, ""])


def api_page(module: str, names: list[str]) -> str:
    """A module's names, from their docstrings."""
    doc = inspect.cleandoc(import_module(f"meshguard.{module}").__doc__ or "")
    lines = [f"# {_title(module)}", "", f"`meshguard.{module}`", ""]
    if module in WHOLE:
        options = ["    options:", "      show_root_heading: false", "      heading_level: 2"]
        lines += [f"::: meshguard.{module}", *options, ""]
    else:
        first = doc.partition("\n\n")[0]
        lines += [_sentence(first.partition(": ")[2] if ": " in first.partition("\n")[0] else first), ""]
    for name in names:
        lines += [f"::: meshguard.{_target(module, name)}", "    options:", "      heading_level: 2", ""]
    if module == "phantoms" and "mutate" in names:
        lines += _defects()
    return "\n".join(lines)


def _target(module: str, name: str) -> str:
    """Where a name is defined: a package shows what its modules define."""
    value = getattr(import_module(f"meshguard.{module}"), name)
    defined = getattr(value, "__module__", None)
    if isinstance(defined, str) and defined.startswith("meshguard.") and hasattr(import_module(defined), name):
        return f"{defined.removeprefix('meshguard.')}.{name}"
    return f"{module}.{name}"


def _defects() -> Iterator[str]:
    """The names that `mutate` takes."""
    from meshguard import phantoms

    defects: Iterable[str] = getattr(phantoms, "DEFECTS", ())
    yield from ["## Defects", "", "The names that `mutate` takes:", ""]
    for name in sorted(defects):
        value = defects[name] if isinstance(defects, dict) else None
        doc = _summary(value) if callable(value) else ""
        yield f"- `{name}`{': ' + doc if doc else ''}"
    yield ""


def _summary(value: object) -> str:
    """The first sentence of a docstring."""
    return inspect.cleandoc(inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")


def _title(module: str) -> str:
    return API.get(module, (module.replace(".", " ").capitalize(), ""))[0]


def _about(module: str) -> str:
    return API.get(module, ("", ""))[1]


def _slug(module: str) -> str:
    return module.replace(".", "-")


# ---- words


def _id(check: Check) -> str:
    return check.id


def _cell(text: str) -> str:
    """Text in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    """Text with a capital and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}" if text else ""


def _default(limit: Limit) -> str:
    """A limit's default: counts with their thousands apart, small numbers in full."""
    value = limit.default
    return f"{int(value):,}" if value == int(value) else f"{value:.6f}".rstrip("0")


def _source(source: str) -> str:
    """Where a default comes from; what is a proposal stands out."""
    return "*proposal*" if source == "proposal" else _cell(source)


def _shown(value: object) -> str:
    """A value of a policy, in a cell."""
    return f"`{value}`" if isinstance(value, str) else "none" if not value else _cell(str(value))


# ---- the hook


def navigation() -> dict[str, list[Any]]:
    """The two parts of the navigation that are made: the reference and the decisions."""
    titles = {path: text.partition("\n")[0].removeprefix("# ") for path, text in pages().items()}
    reference: list[Any] = [{title: path} for path, title in titles.items() if "/api/" not in path]
    api = [{title: path} if "index" not in path else path for path, title in titles.items() if "/api/" in path]
    decisions: list[Any] = ["decisions/index.md"]
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        decisions.append({path.read_text("utf-8").partition("\n")[0].removeprefix("# "): f"decisions/{path.name}"})
    return {"Reference": [*reference, {"API": api}], "Decisions": decisions}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the navigation's empty parts."""
    made = navigation()
    nav: list[Any] = config.nav or []
    for entry in nav:
        for title in entry:
            if title in made:
                entry[title] = made[title]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
