"""What the properties of a PLY are called in a mesh, and back.

`red green blue [alpha]` (also `diffuse_red` …, `r g b [a]`) are one array `color`, `nx ny nz` one array `normal`, and
`NAME_0 … NAME_k-1` one array NAME with k columns (`NAME_0of1` is one of a single column). Whether letters of the former
are capital does not count. All columns of an array have one type, and numbered ones are side by side; what does not fit
keeps its own name. A name that a PLY cannot hold is percent-encoded as in a URL, and decoded when read; a lone "%"
stands for the empty name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from meshguard.errors import MeshError

_KNOWN = (
    ("color", ("red", "green", "blue", "alpha")),
    ("color", ("diffuse_red", "diffuse_green", "diffuse_blue", "diffuse_alpha")),
    ("color", ("r", "g", "b", "a")),
    ("normal", ("nx", "ny", "nz")),
)
_RESERVED = {"x", "y", "z", "vertex_indices", "vertex_index"}
_NUMBERED = re.compile(r"(.+)_(0of1|0|[1-9][0-9]*)\Z", re.DOTALL)
_SAFE = "".join(chr(code) for code in range(33, 127) if code != 37)


@dataclass(frozen=True, slots=True)
class Group:
    """An array of a mesh: its name, the properties that are its columns, and whether it has two axes."""

    name: str
    columns: tuple[int, ...]
    is_table: bool


def grouped(names: list[str], dtypes: list[str]) -> list[Group]:
    """The arrays that properties form, in the order of their first columns; no two have the same name.

    Args:
        names: of the properties, in file order.
        dtypes: of the properties; only properties of one type are joined.
    """
    joined = _joined(names, dtypes)
    # Where an array's name is also a property's or another array's, it gives way: its columns keep their own names.
    while True:
        taken = {k for group in joined for k in group.columns}
        single = {name for k, name in enumerate(names) if k not in taken}
        seen: set[str] = set()
        unclashing = []
        for group in joined:
            if group.name not in single and group.name not in seen:
                unclashing.append(group)
                seen.add(group.name)
        if len(unclashing) == len(joined):
            break
        joined = unclashing
    alone = [Group(name, (k,), is_table=False) for k, name in enumerate(names) if k not in taken]
    used: set[str] = set()
    # For each name the last number tried: thousands of equal names must not take quadratic time.
    numbers: dict[str, int] = {}
    unique: list[Group] = []
    for group in sorted([*joined, *alone], key=lambda group: min(group.columns)):
        name = plain = _decoded(group.name)
        while name in used:
            numbers[plain] = numbers.get(plain, 1) + 1
            name = f"{plain}_{numbers[plain]}"
        used.add(name)
        unique.append(Group(name, group.columns, group.is_table))
    return unique


def _joined(names: list[str], dtypes: list[str]) -> list[Group]:
    """The arrays of several columns, or of one that is marked as such; the well-known ones first."""
    found: list[Group] = []
    taken: set[int] = set()
    numbered = list(reversed(list(enumerate(names))))
    first = {name.lower(): k for k, name in numbered} | {name: k for k, name in numbered}
    for target, parts in _KNOWN:
        columns = [first[part] for part in parts[:3] if part in first]
        if (
            len(columns) == 3
            and len({dtypes[k] for k in columns}) == 1
            and target not in {group.name for group in found}
        ):
            columns += [
                first[part] for part in parts[3:] if part in first and dtypes[first[part]] == dtypes[columns[0]]
            ]
            found.append(Group(target, tuple(columns), is_table=True))
            taken.update(columns)
    k = 0
    while k < len(names):
        run, base = (0, "") if k in taken else _run(names, dtypes, k, taken)
        if run:
            found.append(Group(base, tuple(range(k, k + run)), is_table=True))
        k += max(1, run)
    return found


def _run(names: list[str], dtypes: list[str], k: int, taken: set[int]) -> tuple[int, str]:
    """How many properties from `k` on are the columns of one numbered array, and its name; 0 for none."""
    match = _NUMBERED.match(names[k])
    if match is None or match[2] not in ("0", "0of1"):
        return 0, ""
    if match[2] == "0of1":
        return 1, match[1]
    run = 1
    while (
        k + run < len(names)
        and k + run not in taken
        and names[k + run] == f"{match[1]}_{run}"
        and dtypes[k + run] == dtypes[k]
    ):
        run += 1
    return (run, match[1]) if run > 1 else (0, "")


def property_names(arrays: dict[str, tuple[int, str]], owner: str) -> list[str]:
    """The names of the properties that hold these arrays, column after column.

    Args:
        arrays: name -> number of columns (0 for an array of one axis) and dtype as it is written.
        owner: what they belong to, for the error message.

    Raises:
        MeshError: names that would not be read back unchanged.
    """
    for escaped in (False, True):
        names = [part for name, (columns, _) in arrays.items() for part in _parts(name, columns, escaped=escaped)]
        dtypes = [dtype for columns, dtype in arrays.values() for _ in range(max(1, columns))]
        back = [(group.name, len(group.columns) if group.is_table else 0) for group in grouped(names, dtypes)]
        if back == [(name, columns) for name, (columns, _) in arrays.items()]:
            return names
    raise MeshError(f"the names of {owner} cannot be told apart in a PLY")


def _parts(name: str, columns: int, *, escaped: bool) -> list[str]:
    raw = quote(name, safe=_SAFE, errors="surrogatepass") or "%"
    if columns == 0:
        if escaped and _NUMBERED.match(raw):
            head, _, tail = raw.rpartition("_")
            return [f"{head}%5F{tail}"]
        if name in _RESERVED or (escaped and any(name.lower() in parts for _, parts in _KNOWN)):
            return [f"%{ord(name[0]):02X}{name[1:]}"]
        return [raw]
    for target, parts in _KNOWN:
        if name == target and (columns == 3 or (columns == 4 and len(parts) == 4)):
            return list(parts[:columns])
    return [f"{raw}_0of1"] if columns == 1 else [f"{raw}_{k}" for k in range(columns)]


def _decoded(raw: str) -> str:
    if raw == "%":
        return ""
    try:
        return unquote(raw, errors="surrogatepass")
    except UnicodeDecodeError:
        return raw
