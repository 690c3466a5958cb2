"""Run what a page of the documentation says, in order, in the current folder; the exit code is 0 if all of it is true.

- A `python` block runs in one namespace with the page's others.
- A `bash` block runs line by line; a line ends with the exit code that it states (`# exit code 1`), else with 0.
- A block with a title (`toml title="shop.toml"`) is written to a file of that name.
- A `text` block that follows at once is what was printed; a line "…" stands for any lines.

    python -W error tests/docs/running.py docs/tutorial.md
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)```[ \t]*$", re.DOTALL | re.MULTILINE
)
_EXIT_CODE = re.compile(r"#\s*exit code (\d+)\s*$")


class Block(NamedTuple):
    """A fenced block.

    language: its first word; title: the file it is, or ""; text: without indentation; line: where it stands; printed:
    the `text` block that follows at once, or None.
    """

    language: str
    title: str
    text: str
    line: int
    printed: str | None


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = list(_FENCE.finditer(page))
    made = []
    for match, following in zip(found, [*found[1:], None], strict=False):
        language, _, rest = match["info"].strip().partition(" ")
        title = re.search(r'title="([^"]*)"', rest)
        printed = None
        if following is not None and not page[match.end() : following.start()].strip():
            printed = _unindented(following) if following["info"].strip() == "text" else None
        line = page.count("\n", 0, match.start()) + 2
        made.append(Block(language, title[1] if title else "", _unindented(match), line, printed))
    return made


def _unindented(match: re.Match[str]) -> str:
    return re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)


def run(page: Path) -> None:
    """Run a page, or raise an AssertionError or whatever its code raises."""
    namespace: dict[str, object] = {"__name__": "__page__"}
    for block in blocks(page.read_text("utf-8")):
        where = f"{page.name}:{block.line}"
        if block.title:
            Path(block.title).write_text(block.text, "utf-8")
        if block.language == "python":
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), namespace)  # noqa: S102
            printed = said.getvalue()
        elif block.language == "bash":
            printed = _run_lines(block.text, where)
        else:
            continue
        if block.printed is not None and not agrees(printed, block.printed):
            raise AssertionError(f"{where} printed\n{printed}\nand the page says\n{block.printed}")


def _run_lines(text: str, where: str) -> str:
    """What the lines of a bash block print, each with the exit code that it states."""
    printed = ""
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment = {**os.environ, "PATH": os.pathsep.join(paths), "COLUMNS": "100"}
    for line in text.replace("\\\n", " ").splitlines():
        stated = _EXIT_CODE.search(line)
        done = subprocess.run(
            ["bash", "-c", line], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        printed += done.stdout
        if done.returncode != (int(stated[1]) if stated else 0):
            raise AssertionError(f"{where}: {line}\nended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return printed


def agrees(printed: str, said: str) -> bool:
    """Whether what was printed is what a page says, apart from what "…" alone on a line leaves out."""
    parts = [re.escape(part) for part in re.split(r"^[ ]*…\n", said, flags=re.MULTILINE)]
    return re.fullmatch(r"(?:.*\n)?".join(parts), printed, re.DOTALL) is not None


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))  # so that a page can import a module that it shows
    run(Path(sys.argv[1]))
