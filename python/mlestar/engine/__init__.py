"""The Search-Test-Analyze-Refine loop over a table."""

from mlestar.engine.data import Table, load_table
from mlestar.engine.model import TabularEnsemble
from mlestar.engine.runs import Run, load_run, resume, run

__all__ = ["Run", "Table", "TabularEnsemble", "load_run", "load_table", "resume", "run"]
