"""Random calls of every function and class of the compiled module; none may crash or read astray.

    python tests/fuzz/fuzz_bindings.py --seed 3 --calls 5000

Functions, arguments and their kinds are read off the module itself, so that new bindings join by
themselves. What is called in a run depends on the seed alone: the same seed up to the call that is
named when one dies repeats it. Errors must be Python's own, arguments must be left as they were.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import mmap
import re
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from inputs import Inputs

import mlestar
from mlestar import _core

_ERRORS = (TypeError, ValueError, IndexError, KeyError, OverflowError, MemoryError, ArithmeticError)
_HANGS = 300  # seconds for a hundred calls; they take a tenth of one
_POOL = 24  # objects of each class that later calls are given


class Target(NamedTuple):
    """One signature of a function, constructor or method."""

    name: str
    function: Callable[..., Any]
    parameters: list[tuple[str, str]]  # names and kinds


def signatures(name: str, function: Any) -> Iterator[list[tuple[str, str]]]:
    """The parameters of every overload, from the text that pybind11 writes."""
    short = name.rpartition(".")[2]
    for line in (function.__doc__ or "").splitlines():
        match = re.match(rf"(?:\d+\. )?{re.escape(short)}\((.*)\)(?: -> .*)?$", line)
        if match:
            yield [
                (part.partition(":")[0].strip(), part.partition(":")[2].partition(" = ")[0].strip())
                for part in split(match[1])
            ]


def split(text: str) -> list[str]:
    """At the commas outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += letter in "[(" or -(letter in "])")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]


def targets(module: Any = _core, prefix: str = "") -> Iterator[Target]:
    """Everything that can be called."""
    for name, value in sorted(vars(module).items()):
        if name.startswith("_") and name != "__init__":
            continue
        full = f"{prefix}{name}"
        if isinstance(value, types.ModuleType):
            yield from targets(value, f"{full}.")
        elif isinstance(value, type):
            for method, function in sorted(vars(value).items()):
                if isinstance(function, property):
                    itself = [("self", f"{value.__module__}.{value.__qualname__}")]
                    yield Target(f"{full}.{method}", function.fget, itself)
                elif method == "__init__":
                    for parameters in signatures(method, function):
                        yield Target(f"{full}.{method}", value, parameters[1:])
                elif callable(function) and not method.startswith("_"):
                    for parameters in signatures(method, function):
                        yield Target(f"{full}.{method}", function, parameters)
        elif callable(value):
            found = list(signatures(full, value))
            assert found, f"{full} does not say what it takes"
            for parameters in found:
                yield Target(full, value, parameters)


class Fuzzer:
    """Makes the calls of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.targets = list(targets())
        self.words: dict[str, list[str]] = {}  # of each string parameter, learnt from its errors
        self.pool: dict[str, list[Any]] = {}
        self.lent: list[Any] | None = None
        self.arrays: list[list[Any]] = []  # arrays of earlier results: states that can be loaded
        self.classes = {
            f"{value.__module__}.{value.__qualname__}": value
            for module in [
                _core,
                *(m for m in vars(_core).values() if isinstance(m, types.ModuleType)),
            ]
            for value in vars(module).values()
            if isinstance(value, type)
        }
        self.outcomes: dict[str, collections.Counter[str]] = {}

    def argument(self, inputs: Inputs, target: Target, name: str, kind: str) -> Any:
        """A value for a parameter of that kind."""
        for full in self.classes:
            if full in kind:
                return self.instance(inputs, full)
        if "None" in kind and inputs.chance(0.3):
            return None
        if "Capsule" in kind:
            return inputs.capsule()
        if kind == "bool":
            return inputs.flag()
        if kind == "str":
            return inputs.text(self.words.get(f"{target.name}.{name}", []))
        if "tuple[str" in kind:
            words = self.words.get(f"{target.name}.{name}", [])
            pairs = int(inputs.rng.integers(3))
            return [(inputs.text(words), inputs.floating()) for _ in range(pairs)]
        if ("Sequence" in kind or kind.startswith(("list", "tuple"))) and "Supports" in kind:
            return inputs.integers()
        if kind.startswith(("list", "tuple")) or "Sequence" in kind:
            return inputs.arrays()
        if "SupportsFloat" in kind or kind == "float":
            return inputs.floating()
        if "SupportsInt" in kind or kind == "int":
            value = inputs.integer()
            if target.name == "set_num_threads" and isinstance(value, int) and 8 < value <= 1024:
                return 8  # threads stay, and a thousand of them slow everything after
            return value
        wanted = re.search(r"NDArray\[numpy\.(\w+)\]", kind)
        if wanted and not inputs.odd(0.3):
            return inputs.array(wanted[1])
        if self.lent is not None:
            place = [parameter for parameter, _ in target.parameters].index(name) - 1
            if inputs.chance(0.8):
                return inputs.changed(self.lent[place % len(self.lent)])
        later = [parameter for parameter, _ in target.parameters[2:]]
        if name in later and inputs.chance(0.5):  # weights and the like, which may be left out
            return None
        return inputs.anything()

    def instance(self, inputs: Inputs, full: str) -> Any:
        if inputs.odd(0.1):
            return None  # a null pointer, to a method that was bound without naming its arguments
        made = self.pool.get(full)
        if made and inputs.chance(0.95):
            return inputs.pick(made)
        # Not `cls.__new__(cls)`: of any class, pybind11 hands on memory that no constructor has seen.
        return inputs.anything()

    def keep(self, inputs: Inputs, result: Any) -> None:
        """Objects of the module's classes, and small arrays, are arguments of later calls."""
        arrays = [v for v in (result if isinstance(result, tuple) else (result,)) if is_small(v)]
        if arrays and inputs.chance(0.3):
            self.arrays.append(arrays)
            if len(self.arrays) > _POOL:
                del self.arrays[int(inputs.rng.integers(len(self.arrays)))]
        for value in result if isinstance(result, tuple) else (result,):
            full = f"{type(value).__module__}.{type(value).__qualname__}"
            if full in self.classes:
                made = self.pool.setdefault(full, [])
                made.append(value)
                if len(made) > _POOL:
                    del made[int(inputs.rng.integers(len(made)))]

    def call(self, number: int) -> str:
        """Make the call of that number; returns what was called. Raises what must not be."""
        rng = np.random.default_rng([self.seed, number])
        inputs = Inputs(rng)
        target = inputs.pick(self.targets)
        self.lent = inputs.pick(self.arrays) if self.arrays and inputs.chance(0.15) else None
        given = [self.argument(inputs, target, *parameter) for parameter in target.parameters]
        # What is called `out` is there to be written to, and so is what shares its memory.
        written = [
            v for v, (name, _) in zip(given, target.parameters, strict=True) if name == "out"
        ]
        kept = [v for v in given if not any(shared(v, w) for w in written)]
        before = [fingerprint(value) for value in kept]
        outcome, result = "answered", None
        try:
            result = target.function(*given)
            outcome = "declined" if result is None else outcome
            self.keep(inputs, result)
        except _ERRORS as error:
            outcome = type(error).__name__
            self.learn(target, given, str(error))
        assert [fingerprint(value) for value in kept] == before, (
            f"{target.name} wrote to its arguments"
        )
        self.outcomes.setdefault(target.name, collections.Counter())[outcome] += 1
        given.clear()
        kept.clear()
        written.clear()
        inputs.keep.clear()
        read(result)  # with the arguments gone
        return target.name

    def learn(self, target: Target, given: list[Any], message: str) -> None:
        """Names that an error says an argument must be one of."""
        allowed = re.search(r"must be (.*)", message)
        for (name, kind), value in zip(target.parameters, given, strict=True):
            named = isinstance(value, str) or "tuple[str" in kind
            if "str" in kind and named and allowed and name in message:
                words = re.findall(r"[a-z][a-z_0-9]+", allowed[1])
                self.words[f"{target.name}.{name}"] = sorted({*words} - {"or", "and", "of", "one"})


def is_small(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.size < 2_000 and value.dtype.kind in "biuf"


def read(result: Any) -> None:
    """Look at every element of the arrays of a result, which must be its own."""
    for value in result if isinstance(result, tuple) else (result,):
        if isinstance(value, np.ndarray):
            value.tolist() if value.dtype.kind == "T" else value.tobytes()


def fingerprint(value: Any) -> Any:
    """What an array holds, cheaply; None for anything else, and for types with bytes in between."""
    if type(value) is np.ndarray and value.dtype.char in "?bhilqBHILQfdU" and value.size < 20_000:
        return hash(value.tobytes())
    return None


def shared(value: Any, written: Any) -> bool:
    """Whether writing to the one may write to the other."""
    both = isinstance(value, np.ndarray) and isinstance(written, np.ndarray)
    return value is written or (both and np.may_share_memory(value, written))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calls", type=int, default=2000, help="of each seed")
    parser.add_argument("--seconds", type=float, help="seed after seed, until the time is over")
    parser.add_argument("--progress", type=Path, help="a file that names the call being made")
    parser.add_argument("--show", action="store_true", help="print how the calls ended")
    arguments = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    mlestar.set_num_threads(2)
    end = None if arguments.seconds is None else time.monotonic() + arguments.seconds
    progress = mmap.mmap(-1, 64)
    if arguments.progress is not None:
        arguments.progress.write_bytes(bytes(64))
        with arguments.progress.open("r+b") as file:
            progress = mmap.mmap(file.fileno(), 64)  # outlives a crash, costs no system call
    made, seed = 0, arguments.seed
    outcomes: dict[str, collections.Counter[str]] = {}
    while True:
        fuzzer = Fuzzer(seed)
        for number in range(arguments.calls):
            progress[:] = f"seed {seed} call {number}".encode().ljust(64)
            if number % 100 == 0:
                faulthandler.dump_traceback_later(_HANGS, exit=True)
            try:
                fuzzer.call(number)
            except BaseException:
                print(f"seed {seed} call {number}", file=sys.stderr)
                raise
            made += 1
            if end is not None and time.monotonic() > end:
                break
        for name, counter in fuzzer.outcomes.items():
            outcomes.setdefault(name, collections.Counter()).update(counter)
        seed += 1
        if end is None or time.monotonic() > end:
            break
    if arguments.show:
        for name in sorted(outcomes):
            print(f"{name:45} {dict(outcomes[name])}")
    print(
        f"{made} calls of {len(fuzzer.targets)} functions, seeds {arguments.seed} to {seed - 1}: no crash"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
