"""Architecture: imports go down only, ids are permanent, kernels compile once, only the command line prints."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import meshguard
from meshguard.checks import CATALOGUE
from meshguard.checks.registry import FAMILIES
from meshguard.checks.subjects import SUBJECTS
from meshguard.policy import LIMITS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(meshguard.__file__).resolve().parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMED = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def name_of(path: Path) -> str:
    """What an import calls a module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULE_NAMES = {name_of(path) for path in MODULES}


@cache
def tree_of(path: Path) -> ast.Module:
    """What a module consists of; parsed once, since every module is asked many times."""
    return ast.parse(path.read_text("utf-8"))


def in_cli(path: Path) -> bool:
    """Whether a module belongs to the command line."""
    return path.relative_to(PACKAGE).parts[0] in {"cli", "cli.py"}


class TestModules:
    @NAMED
    def test_at_most_500_lines(self, path: Path) -> None:
        assert len(path.read_text("utf-8").splitlines()) <= 500

    @NAMED
    def test_it_says_what_it_is_for(self, path: Path) -> None:
        assert ast.get_docstring(tree_of(path))

    @NAMED
    def test_only_the_command_line_prints_and_exits(self, path: Path) -> None:
        calls = {
            ast.unparse(node.func)
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute))
        }

        assert in_cli(path) or not calls & {"print", "sys.exit", "exit", "click.echo", "logging.basicConfig"}

    @NAMED
    def test_no_parallel_and_no_fastmath(self, path: Path) -> None:
        source = path.read_text("utf-8")

        assert not re.search(r"parallel\s*=\s*True|fastmath\s*=\s*(True|\{)|prange", source)

    @NAMED
    def test_numba_is_configured_in_one_place(self, path: Path) -> None:
        tree = tree_of(path)
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        uses_numba = any(name.split(".")[0] == "numba" for name in names)

        # The command line listens to the compiler, to say that it runs, and loads it in its own way.
        assert not uses_numba or path.name in {"_jit.py", "notice.py", "startup.py"} or path.parent.name == "kernels"
        assert path.name == "_jit.py" or not re.search(r"\bn?jit\s*\(|@(numba\.)?n?jit", path.read_text("utf-8"))

    @NAMED
    def test_no_name_that_says_nothing(self, path: Path) -> None:
        assert path.stem not in {"utils", "util", "helpers", "helper", "misc", "manager", "common"}
        defined = [node.name for node in ast.walk(tree_of(path)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        assert [name for name in defined if re.match(r"_*(get|compute)_(?!_)|.*(Manager|Helper)$", name)] == []


MIRRORED = ("facts", "repair", "kernels")
"""Folders of the package of which every module has tests of its own, in the same folder of `tests`."""

WITHOUT_TESTS_OF_THEIR_OWN = {
    "repair/step": "it holds types only",
    "kernels/components": "its sums are those of Components: tests/facts/mesh/test_elements.py",
    "kernels/ear_clipping": "inlined into what cuts polygons: tests/kernels/test_triangulation.py",
    "kernels/fairing": "what is fair shows on a whole patch: tests/repair/mesh/test_hole_filling.py",
    "kernels/folds": "folds are marked for components: tests/facts/mesh/test_elements.py, checks/test_geometry.py",
    "kernels/refining": "how dense a patch is shows on a whole one: tests/repair/mesh/test_hole_filling.py",
    "kernels/simd_blocks": "inlined into searches of trees: tests/kernels/test_bvh.py, test_intersections.py",
    "kernels/outward_orientation": "lines vote about whole sheets: tests/facts/mesh/test_outward_orientation.py",
    "kernels/sorting": "inlined into what groups edges: tests/facts/mesh/test_connectivity.py",
    "kernels/tokens": "the words of text STL and PLY: tests/kernels/test_text.py",
    "kernels/topology": "twins, fans and components: tests/facts/mesh/test_connectivity.py, test_orientation.py",
}
"""Why a module has none."""


def mirrored() -> list[str]:
    """Modules that have tests of their own, by folder and name: facts/mesh/cracks."""
    paths = [path.relative_to(PACKAGE).with_suffix("") for path in MODULES]
    return [path.as_posix() for path in paths if path.parts[0] in MIRRORED and path.name != "__init__"]


class TestMirror:
    @pytest.mark.parametrize("module", [name for name in mirrored() if name not in WITHOUT_TESTS_OF_THEIR_OWN])
    def test_a_module_has_tests_in_a_file_of_its_name(self, module: str) -> None:
        folder, name = module.rsplit("/", 1)

        assert (ROOT / "tests" / folder / f"test_{name.lstrip('_')}.py").is_file()

    def test_exceptions_are_modules_that_have_none(self) -> None:
        tested = [
            name
            for name in WITHOUT_TESTS_OF_THEIR_OWN
            if (ROOT / "tests" / f"{name.replace('/', '/test_')}.py").is_file()
        ]

        assert set(WITHOUT_TESTS_OF_THEIR_OWN) - set(mirrored()) == set()
        assert tested == []


def trees() -> dict[str, str]:
    """The trees that the page about the architecture shows, by folder."""
    page = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    return dict(re.findall(r"^```text\n([\w/]+)/\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


class TestTrees:
    def test_the_page_shows_the_package_and_the_folders_with_parts(self) -> None:
        assert list(trees()) == ["src/meshguard", "facts", "repair", "policy", "checks"]

    def test_the_first_names_what_lies_in_the_package(self) -> None:
        named = re.findall(r"^  (\w+\.py|\w+/)", trees()["src/meshguard"], re.MULTILINE)
        modules = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("_")}
        folders = {f"{path.name}/" for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}

        assert set(named) == modules | folders and len(named) == len(set(named))

    @pytest.mark.parametrize("folder", ["facts", "repair", "policy", "checks"])
    def test_each_other_names_every_module_and_none_that_does_not_exist(self, folder: str) -> None:
        tree, modules = trees()[folder], {path.stem for path in (PACKAGE / folder).rglob("*.py")}
        # Prose stands beside the names, but a word with an underscore is a name.
        named = set(re.findall(r"\w+(?=\.py\b)|\b[a-z]+(?:_[a-z]+)+\b", tree))

        assert named - modules == set()
        assert modules - {"__init__"} - set(re.findall(r"\w+", tree)) == set()


def test_the_picture_and_the_rules_show_the_floors_that_are_checked() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    floors = [[name for name in re.findall(r"\w+", floor) if name[0] != "_"] for floor in contract["layers"]]
    drawn = re.findall(r'y="(\d+)"[^>]*>(?:</rect>)?<text class="n"[^>]*>([\w, ]+)<', _text("docs/img/floors.svg"))
    by_height: dict[int, list[str]] = {}
    for height, names in drawn:
        by_height.setdefault(int(height), []).extend(names.split(", "))
    rule = re.findall(r"`(\w+)`", _text("CONTRIBUTING.md").partition("1. Imports go down only:")[2].partition("2. ")[0])

    assert [sorted(by_height[height]) for height in sorted(by_height)] == [sorted(floor) for floor in floors]
    assert sorted(rule) == sorted(name for floor in floors for name in floor)


def _text(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text("utf-8")


class TestChecks:
    def test_ids_are_unique_and_look_permanent(self) -> None:
        ids = [check.id for check in CATALOGUE]

        assert len(ids) == len(set(ids))
        assert [id_ for id_ in ids if not re.fullmatch(r"[A-Z][1-9][0-9]{2}", id_) or id_[0] not in FAMILIES] == []

    @pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: check.id)
    def test_each_is_explained_and_reads_limits_that_exist(self, check: object) -> None:
        from meshguard.checks.registry import Check

        assert isinstance(check, Check)
        assert check.title and not check.title.endswith(".") and len(check.title) <= 50
        assert len(check.explanation) > 40 and check.explanation.endswith(".")
        assert set(check.limits) <= set(LIMITS)
        assert check.looks_at in SUBJECTS
        assert set(check.needs) <= set(SUBJECTS[check.looks_at].conditions)

    def test_every_limit_is_read_by_a_check_or_by_repair(self) -> None:
        read = {limit for check in CATALOGUE for limit in check.limits}
        source = "".join(path.read_text("utf-8") for path in (PACKAGE / "repair").rglob("*.py"))
        read |= {limit for limit in LIMITS if f'limit("{limit}")' in source}
        bounded = re.findall(r'tolerance\("(\w+)"\)', source)
        read |= {*bounded, *(str(LIMITS[name].bound) for name in bounded)}

        assert set(LIMITS) - read == set()


def test_imports_go_down_only() -> None:
    pytest.importorskip("importlinter", reason="import-linter is in the dev group")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def imported_by(path: Path) -> set[str]:
    """The modules of the package that a module names in its imports, wherever they stand and for whatever use."""
    named: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            # `from package import name` imports the module of that name where there is one, else the package itself.
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= {name if name in MODULE_NAMES else str(node.module) for name in full}
    return named & MODULE_NAMES


def circle_of(imports: dict[str, list[str]]) -> list[str]:
    """A shortest circle of modules that import one another, its first module repeated at the end; [] without one."""
    circles: list[list[str]] = []
    for start in imports:
        ways, seen = [[start]], {start}
        for way in ways:
            if start in imports[way[-1]]:
                circles.append([*way, start])
                break
            ways += [[*way, name] for name in imports[way[-1]] if name not in seen]
            seen.update(imports[way[-1]])
    return min(circles, key=len, default=[])


def test_no_import_circles() -> None:
    """Imports for type checkers and imports inside functions count: a circle is one unit that cannot be read in parts.

    A package's `__init__` is a module of its own, which imports what it names; it is not counted as imported by those
    who import a module of the package.
    """
    circle = circle_of({name_of(path): sorted(imported_by(path)) for path in MODULES})

    assert circle_of({"a": ["b", "d"], "b": ["c"], "c": ["d"], "d": ["b"]}) == ["b", "c", "d", "b"]
    assert not circle, " -> ".join(circle)


@NAMED
def test_facts_are_asked_for_at_mesh_facts_and_dental_facts(path: Path) -> None:
    """Types and constants may be imported from where they are defined; a computation may not."""
    taken = {
        alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(("meshguard.facts.mesh", "meshguard.facts.dental"))
        for alias in node.names
        if not alias.name[0].isupper()
    }

    # Two meshes have no facts in common.
    assert path.is_relative_to(PACKAGE / "facts") or taken <= {"find_contact"}


EXERCISE = """
import importlib, io, json, pkgutil
import numpy as np
import meshguard
import meshguard.kernels
from meshguard.phantoms import phantom

rng = np.random.default_rng(0)
box = np.array([[x, y, z] for x in (0, 60) for y in (0, 50) for z in (0, 20)], float)
faces = np.array([[0,1,3],[0,3,2],[4,6,7],[4,7,5],[0,4,5],[0,5,1],[2,3,7],[2,7,6],[0,2,6],[0,6,4],[1,5,7],[1,7,3]])
soup = rng.normal(size=(60, 3)) * 30
meshes = [
    phantom(faces=3000),
    phantom(faces=3000).without_labels().with_data(face={"label": phantom(faces=3000).face_data["label"]}),
    meshguard.Mesh(vertices=box, faces=faces),
    meshguard.Mesh(vertices=box.astype("f4"), faces=faces[:7].astype("u2")),
    meshguard.Mesh(vertices=soup, faces=rng.integers(0, 60, (200, 3))),
    meshguard.Mesh(vertices=np.vstack([box, np.nan * box]), faces=np.vstack([faces, faces + 4, faces[:3]])),
    meshguard.Mesh(vertices=[], faces=[]),
]
for mesh in meshes:
    for policy in ("scan", "print"):
        meshguard.validate(mesh, policy=policy)
    for kind in ("stl", "ply"):
        file = io.BytesIO()
        meshguard.save(mesh, file, format=kind)
        meshguard.validate(file.getvalue())
meshguard.intersections(meshes[1], meshes[3])
coarse = meshguard.policy.policy("print").replace(limits={"solid_fraction": 0.1})
any_hole = meshguard.Policy(limits={"hole_diameter_mm": 1e3, "hole_fraction": 1.0, "carve_fraction": 0.2})
broken = meshguard.phantoms.mutate(meshes[0], "hole", "fold", "crack", "nonmanifold_edge", "zero_area_face")[0]
for mesh in (*meshes, broken):
    for policy in ("scan", coarse, any_hole):
        try:
            meshguard.repair(mesh, policy=policy)
        except meshguard.RepairRefused:
            pass
from meshguard.repair.mesh.hole_filling import fill_hole
ring = np.arange(24, dtype="i4")
turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
rings = np.concatenate([np.stack([r * np.cos(turn), r * np.sin(turn), 0 * turn], axis=1) for r in (5, 6, 7, 8)])
rings = rings.astype("f4").astype("f8")
first = np.stack([np.roll(ring, -1), ring, ring + 24], axis=1)
band = np.concatenate([first, np.stack([np.roll(ring, -1), ring + 24, np.roll(ring, -1) + 24], axis=1)])
band = np.concatenate([band, band + 24, band + 48]).astype("i4")
fill_hole(rings, band, [ring])
fill_hole(rings.copy(), np.asfortranarray(band), [list(ring)], around=np.arange(len(band)))
labels = meshes[0].vertex_data["label"]
meshguard.segmentation_metrics(meshes[0], labels.astype(np.int64))
meshguard.segmentation_metrics(labels.tolist(), labels.astype("u1"), mesh=meshes[0].vertices.astype("f4"))
meshguard.segmentation_metrics(meshes[0].face_data["label"], np.flip(meshes[0].face_data["label"]), mesh=meshes[0])
triangle = "vertex 0 0 0\\nvertex 1 0 0\\nvertex 0 1 0\\n"
meshguard.validate(f"solid\\nfacet normal 0 0 1\\nouter loop\\n{triangle}endloop\\nendfacet\\nendsolid\\n".encode())
ply = "ply\\nformat ascii 1.0\\nelement vertex 4\\nproperty float x\\nproperty float y\\nproperty float z\\n"
ply += "element face 1\\nproperty list uchar int vertex_indices\\nend_header\\n"
ply += "0 0 0\\n1 0 0\\n1 1 0\\n0 1 0\\n4 0 1 2 3\\n"
meshguard.validate(ply.encode())

signatures = {}
for module in pkgutil.iter_modules(meshguard.kernels.__path__, "meshguard.kernels."):
    for name, value in vars(importlib.import_module(module.name)).items():
        if hasattr(value, "nopython_signatures") and value.py_func.__module__ == module.name:
            if type(value._cache).__name__ != "NullCache":  # an entry point; what is inlined may serve several dtypes
                signatures[f"{module.name}.{name}"] = [str(signature) for signature in value.nopython_signatures]
print(json.dumps(signatures))
"""


def test_every_kernel_has_one_compiled_signature() -> None:
    """A second one means that some caller hands over another dtype, or an array that can be written to."""
    environment = {**os.environ, "MESHGUARD_CACHE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", EXERCISE], capture_output=True, text=True, timeout=600, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    signatures = json.loads(done.stdout.splitlines()[-1])

    assert signatures
    assert {name: found for name, found in signatures.items() if len(found) > 1} == {}


@NAMED
def test_what_starts_with_an_underscore_stays_in_its_module(path: Path) -> None:
    imported = {
        alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("meshguard")
        for alias in node.names
    }

    assert {name for name in imported if name.startswith("_")} <= {"__version__", "_jit", "_parallel"}
