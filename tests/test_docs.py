"""The Python blocks of every page in python/docs run, in order, one page after the other."""

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).resolve().parents[1] / "python" / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert blocks, f"{page.name} shows no code"
    if re.search(r"^import torch$", text, re.MULTILINE):
        pytest.importorskip("torch")
    names = {"__name__": "__docs__"}
    for block in blocks:
        # Lines keep their numbers in the page, so that a traceback points at them.
        first = text.count("\n", 0, block.start(1))
        exec(compile("\n" * first + block[1], str(page), "exec"), names)
