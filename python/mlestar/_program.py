"""Run a program as ``python script.py`` and ``python -m module`` do, in a process set up before."""

from __future__ import annotations

import builtins
import io
import os
import runpy
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType
from typing import Any


def run_program(program: str, arguments: list[str], *, as_module: bool = False) -> int:
    """Run a script, a folder or zip file with a ``__main__.py``, or a module.

    `sys.argv`, `sys.path` and ``__main__`` are what the program would see without us, and stay so:
    functions that run at exit need them.

    Parameters
    ----------
    program : str
        Path, or name of a module where `as_module`.
    arguments : list of str
        The program's own.
    as_module : bool, default=False
        As ``python -m`` does.

    Returns
    -------
    int
        0, 1 after an error that was not caught, 2 for a file that cannot be read. `SystemExit` and
        `KeyboardInterrupt` go through, so that the interpreter ends as it would.
    """
    sys.argv = [program, *arguments]
    try:
        code = None if as_module else _code_of(program)
    except OSError as error:
        print(f"{sys.executable}: can't open file {program!r}: {error}", file=sys.stderr)
        return 2
    except (SyntaxError, ValueError) as error:
        sys.excepthook(type(error), error, None)
        return 1
    try:
        if as_module:
            _set_path(os.getcwd())
            _new_main()
            runpy._run_module_as_main(program)  # type: ignore[attr-defined]
        elif code is None:
            _set_path(program)
            _new_main()
            runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
        else:
            _set_path(os.path.dirname(os.path.realpath(program)))
            main = _new_main()
            main.__file__ = program
            main.__loader__ = SourceFileLoader("__main__", program)
            exec(code, vars(main))
    except Exception as error:
        # As the interpreter does with an error that nobody caught, without our frames.
        error.__traceback__ = _first_of_program(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def _set_path(first: str) -> None:
    """Put the program's folder where the folder of our own command stands."""
    if not sys.flags.safe_path and sys.path:
        sys.path[0] = first


def _new_main() -> ModuleType:
    main = ModuleType("__main__")
    vars(main).update(__annotations__={}, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main
    return main


def _code_of(path: str) -> Any:
    """A script's code; None for a folder or a zip file."""
    if os.path.isdir(path):
        return None
    with io.open_code(os.path.abspath(path)) as file:
        source = file.read()
    if source.startswith(b"PK\x03\x04"):
        return None
    return compile(source, path, "exec", dont_inherit=True)


def _first_of_program(trace: TracebackType | None) -> TracebackType | None:
    ours = (__file__, runpy.__file__)
    while trace is not None and (
        trace.tb_frame.f_code.co_filename in ours
        or trace.tb_frame.f_code.co_filename.startswith("<frozen ")
    ):
        trace = trace.tb_next
    return trace
