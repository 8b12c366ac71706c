"""scikit-learn's names rebound to ours: programs written for it run here without an edit."""

from __future__ import annotations

import ast
import difflib
import inspect
import sys
import weakref
from collections.abc import Iterable, Iterator
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Any

from mlestar import _calls

# Rooms named as scikit-learn's packages are. A name is in the table by being defined there.
_ROOMS = ("metrics", "model_selection", "preprocessing", "impute", "feature_selection")

_lock = RLock()
# Who wants a name patched; a name is patched while anybody does.
_holders: dict[str, list[object]] = {}
_rebound: dict[str, _Rebinding] = {}


def table() -> dict[str, Any]:
    """scikit-learn's dotted name of everything that mlestar has too, and ours."""
    found = {}
    for room in _ROOMS:
        ours = import_module(f"mlestar.{room}")
        theirs = import_module(f"sklearn.{room}")
        for name in theirs.__all__:
            mine = vars(ours).get(name)
            if getattr(mine, "__module__", None) in (ours.__name__, "mlestar.preprocessing"):
                found[f"sklearn.{room}.{name}"] = mine
    return found


def patch_sklearn(names: str | Iterable[str] | None = None, *, verbose: bool = False) -> Patch:
    """Rebind scikit-learn's names to ours, in the whole process.

    A name is rebound wherever it is bound: in scikit-learn's packages and private modules, in its
    scorers, and in every module that has imported it already, under whatever name. Modules imported
    later find ours, whether they import scikit-learn before or after. Calls that the core does not
    answer go to scikit-learn's original, which also words the errors. No
    `mlestar.exceptions.MetricWarning` is raised while a name is patched.

    Parameters
    ----------
    names : str, iterable of str or None
        What to rebind: ``"f1_score"`` or ``"sklearn.metrics.f1_score"``; None is everything that
        mlestar has.
    verbose : bool, default=False
        Whether every call is logged (logger ``mlestar.patch``, level INFO; to standard error where
        logging has no handler): answered by mlestar, or left to scikit-learn and why.

    Returns
    -------
    Patch
        A context manager that undoes this call when its block is left. Without a ``with`` block the
        patch lasts until `unpatch_sklearn`.

    Raises
    ------
    ValueError
        If mlestar has nothing of that name.

    See Also
    --------
    unpatch_sklearn : undo it.

    Notes
    -----
    Copies of a reference that are no module's global (a default argument, an attribute of an
    object, a `functools.partial`) stay scikit-learn's. Worker processes are not patched, but what
    is sent to them, such as a scorer, is ours there too. Calls may be nested and repeated, in any
    thread; a name stays patched until all ``with`` blocks that asked for it are left.

    Examples
    --------
    >>> import mlestar, sklearn.metrics
    >>> with mlestar.patch_sklearn():
    ...     sklearn.metrics.f1_score.__module__
    'mlestar.metrics'
    >>> sklearn.metrics.f1_score.__module__
    'sklearn.metrics._classification'
    """
    patch = Patch(names, verbose)
    patch._acquire()
    patch._held_by_call = True
    return patch


def unpatch_sklearn(names: str | Iterable[str] | None = None) -> None:
    """Give scikit-learn's names back what they were bound to before `patch_sklearn`.

    Whatever was bound anew in between is left alone. A name that a module has got while it was
    patched is given back too, unless the module's source says that it is from mlestar.

    Parameters
    ----------
    names : str, iterable of str or None
        What to undo, as for `patch_sklearn`; None is everything. Names that are not patched are
        passed over.

    Raises
    ------
    ValueError
        If mlestar has nothing of that name.

    Examples
    --------
    >>> import mlestar, sklearn.metrics
    >>> _ = mlestar.patch_sklearn("r2_score")
    >>> mlestar.unpatch_sklearn()
    >>> sklearn.metrics.r2_score.__module__
    'sklearn.metrics._regression'
    """
    with _lock:
        chosen = list(_holders) if names is None else list(_choose(names))
        for dotted in chosen:
            _holders.pop(dotted, None)
        _settle()


class Patch:
    """What `patch_sklearn` returns: a context manager that undoes the call at the block's end.

    Attributes
    ----------
    names : list of str
        scikit-learn's dotted names that the call rebinds.

    Examples
    --------
    >>> import mlestar
    >>> with mlestar.patch_sklearn("accuracy_score") as patch:
    ...     patch.names
    ['sklearn.metrics.accuracy_score']
    """

    def __init__(self, names: str | Iterable[str] | None, verbose: bool) -> None:
        self._table = _choose(names)
        self.names = list(self._table)
        self._verbose = verbose
        self._held_by_call = False  # the call's own hold, which the first `with` takes over
        self._tokens: list[object] = []

    def __repr__(self) -> str:
        return f"<patch of {len(self.names)} names of scikit-learn>"

    def __enter__(self) -> Patch:
        if self._held_by_call:
            self._held_by_call = False
        else:
            self._acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        with _lock:
            token = self._tokens.pop()
            for dotted in self.names:
                if token in _holders.get(dotted, ()):
                    _holders[dotted].remove(token)
            if token in _verbose:
                _verbose.remove(token)
            _settle()

    def _acquire(self) -> None:
        token = object()
        with _lock:
            for dotted in self.names:
                _holders.setdefault(dotted, []).append(token)
            if self._verbose:
                _verbose.append(token)
            self._tokens.append(token)
            try:
                _settle(self._table)
            except BaseException:
                self._release()
                raise


_verbose: list[object] = []


def _choose(names: str | Iterable[str] | None) -> dict[str, Any]:
    """The rows of the table that are asked for."""
    rows = table()
    if names is None:
        return rows
    chosen = {}
    for name in [names] if isinstance(names, str) else names:
        found = [d for d in rows if name in (d, d.rpartition(".")[2])]
        if not found:
            known = [dotted.rpartition(".")[2] for dotted in rows]
            close = difflib.get_close_matches(str(name), [*known, *rows], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; there are {sorted(known)}"
            raise ValueError(f"names holds {name!r}, which mlestar has no replacement of{hint}")
        chosen.update({dotted: rows[dotted] for dotted in found})
    return chosen


def _settle(rows: dict[str, Any] | None = None) -> None:
    """Patch what somebody holds and is not patched yet, undo what nobody holds any more."""
    wanted = {dotted for dotted, tokens in _holders.items() if tokens}
    new = {dotted: mine for dotted, mine in (rows or {}).items() if dotted not in _rebound}
    old = [dotted for dotted in _rebound if dotted not in wanted]
    if new:
        originals = {}
        for dotted in new:
            package, _, name = dotted.rpartition(".")
            # Kept before the first name is rebound: what declines finds its way back by this.
            originals[dotted] = _calls.original(name, package)
        if not _rebound:
            _calls.silence(1)
        made = {d: _Rebinding(d, originals[d], mine) for d, mine in new.items()}
        _rebound.update(made)  # first, so that one that is cut short can be undone
        _bind(list(made.values()))
    if old:
        _unbind([_rebound.pop(dotted) for dotted in old])
        if not _rebound:
            _calls.silence(-1)
    if not _rebound:
        _verbose.clear()
    _report()


def _report() -> None:
    """Log calls while anybody who patched asked for it."""
    if not _verbose:
        if "mlestar._report" in sys.modules:
            import_module("mlestar._report").stop()
        return
    from mlestar._report import start

    start({dotted.rpartition(".")[2]: dotted for dotted in _rebound})


class _Rebinding:
    """One object of scikit-learn's, ours instead of it, and every place where that was done."""

    def __init__(self, dotted: str, original: Any, mine: Any) -> None:
        self.dotted, self.original, self.mine = dotted, original, mine
        self.places: list[tuple[weakref.ref[ModuleType], str]] = []
        self.scorers: list[Any] = []
        # Who had ours already, by its own import.
        self.kept: set[tuple[str, str]] = set()


def _bindings() -> Iterator[tuple[ModuleType, dict[str, Any], str, Any]]:
    """Every global of every module but ours: module, its namespace, name and value."""
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or name.partition(".")[0] == "mlestar":
            continue
        # Not vars(): a module may be one that loads itself when an attribute is looked at.
        try:
            namespace = object.__getattribute__(module, "__dict__")
        except AttributeError:  # a C library that cffi made a module of
            continue
        for key, value in list(namespace.items()):
            yield module, namespace, key, value


def _scorers() -> list[Any]:
    from sklearn.metrics import _scorer

    return list(_scorer._SCORERS.values())


def _bind(rebindings: list[_Rebinding]) -> None:
    by_original = {id(r.original): r for r in rebindings}
    by_mine = {id(r.mine): r for r in rebindings}
    for module, namespace, key, value in _bindings():
        rebinding = by_original.get(id(value))
        if rebinding is not None:
            namespace[key] = rebinding.mine
            rebinding.places.append((weakref.ref(module), key))
        elif (already := by_mine.get(id(value))) is not None:
            already.kept.add((module.__name__, key))
    for scorer in _scorers():
        called = by_original.get(id(getattr(scorer, "_score_func", None)))
        if called is not None:
            scorer._score_func = called.mine
            called.scorers.append(scorer)


def _unbind(rebindings: list[_Rebinding]) -> None:
    for rebinding in rebindings:
        for reference, key in rebinding.places:
            module = reference()
            if module is None:
                continue
            namespace = object.__getattribute__(module, "__dict__")
            if namespace.get(key) is rebinding.mine:
                namespace[key] = rebinding.original
        for scorer in rebinding.scorers:
            if scorer._score_func is rebinding.mine:
                scorer._score_func = rebinding.original
    # Modules that have imported a name from scikit-learn since then hold ours.
    by_mine = {id(r.mine): r for r in rebindings}
    for module, namespace, key, value in _bindings():
        late = by_mine.get(id(value))
        if late is None or (module.__name__, key) in late.kept:
            continue
        if not _imports_ours(module, late.dotted.rpartition(".")[2], key):
            namespace[key] = late.original


def _imports_ours(module: ModuleType, name: str, key: str) -> bool:
    """Whether a module's source says that it has a name from mlestar itself."""
    if module.__name__.partition(".")[0] == "sklearn":
        return False
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False  # no source to be seen
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlestar"):
            for alias in node.names:
                if alias.name == "*" or (alias.name == name and (alias.asname or name) == key):
                    return True
    return False
