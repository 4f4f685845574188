"""Run the tour of ``README.md`` and write what its commands answered: ``python -m docs.tour``.

Every line of a ``console`` block that begins with ``$`` is a command; they run one after the other in one shell, in an
empty folder that has the project's ``.venv``. What stands below a command is replaced by what it answered.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "README.md"
_BLOCK: Final = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_MARK: Final = "==== command %d ends ===="


def commands(page: str) -> list[list[str]]:
    """Return the commands of each block."""
    return [re.findall(r"^\$ (.*)$", block, re.MULTILINE) for block in _BLOCK.findall(page)]


def run(lines: list[str]) -> list[str]:
    """Run the commands in a new folder and return what each wrote. Raises ``RuntimeError`` when one fails."""
    script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for number, line in enumerate(lines):
        script += [line, f"[ $? = 0 ] || exit {number % 200 + 1}", f"echo '{_MARK % number}'"]
    with tempfile.TemporaryDirectory(prefix="tour-") as folder:
        (Path(folder) / ".venv").symlink_to(ROOT / ".venv")
        done = subprocess.run(  # noqa: S603 (our own page)
            ["/bin/bash", "-c", "\n".join(script)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "110", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=400,
        )
    answers = re.split("|".join(re.escape(_MARK % number) + "\n" for number in range(len(lines))), done.stdout)
    if done.returncode != 0 or len(answers) != len(lines) + 1:
        raise RuntimeError(f"the tour ended at: {lines[len(answers) - 1]}\n{done.stdout[-2000:]}")
    return ["".join(f"{line.rstrip()}\n" for line in answer.splitlines() if line.strip()) for answer in answers]


def with_answers(page: str) -> str:
    """Return the page with every answer as it is now."""
    blocks = commands(page)
    answers = iter(run([line for block in blocks for line in block]))
    texts = iter(["".join(f"$ {line}\n{next(answers)}" for line in block) for block in blocks])
    return _BLOCK.sub(lambda _: next(texts), page)


if __name__ == "__main__":
    PAGE.write_text(with_answers(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
