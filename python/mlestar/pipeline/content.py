"""What values are made of: their hashes, and files of them without pickle."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import json
import types
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mlestar._lazy import require

_MAGIC = b"mlestar1"
_ALIGNED = 64
_PLAIN = (str, bool, int, float, type(None))
_BY_WORDS = (  # whose repr() tells all of them
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    enum.Enum,
    range,
    slice,
    np.dtype,
)
_CELLS = (*_PLAIN, bytes, datetime.date, decimal.Decimal)  # which Arrow gives back
_SPARSE = ("csr_array", "csr_matrix", "csc_array", "csc_matrix")
_READ_BYTES = 1 << 22


def content_hash(*values: Any) -> str:
    """The same 40 characters for the same content: of data, parameters, functions, transforms.

    Arrays and tables count by their values, types and names; files (``Path``) by their bytes;
    estimators by their class, their parameters and what they have learned; functions by their code,
    defaults and what they close over. Objects whose types have ways of their own to be copied or
    pickled are refused: what they hold need not be what they show.

    Raises
    ------
    ValueError
        For an object whose content cannot be told.
    """
    digest = hashlib.blake2b(digest_size=20)
    for value in values:
        _feed(digest, value, ())
    return digest.hexdigest()


def _feed(digest: Any, value: Any, inside: tuple[int, ...]) -> None:
    if id(value) in inside:
        digest.update(b"again")
        return
    inside = (*inside, id(value))
    kind = f"<{type(value).__module__}.{type(value).__qualname__}>".encode()
    if isinstance(value, np.ndarray):
        about = repr(value.dtype) if value.dtype.names else value.dtype.str
        digest.update(f"<array {about}{value.shape}>".encode())
        if isinstance(value, np.ma.MaskedArray):
            _feed(digest, [np.ma.getmaskarray(value), value.fill_value], inside)
            value = value.data
        if value.dtype.hasobject:
            for item in value.ravel().tolist():
                _feed(digest, item, inside)
        else:
            digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
    elif isinstance(value, (*_PLAIN, bytes, complex, np.generic, *_BY_WORDS)):
        digest.update(kind + repr(value).encode("utf-8", "surrogatepass") + b";")
    elif isinstance(value, Path):
        digest.update(b"<file>")
        with open(value, "rb") as file:
            while part := file.read(_READ_BYTES):
                digest.update(part)
    elif isinstance(value, Mapping):
        digest.update(kind + str(len(value)).encode())
        for name in sorted(value, key=repr):
            _feed(digest, name, inside)
            _feed(digest, value[name], inside)
    elif isinstance(value, list | tuple | set | frozenset):
        digest.update(kind + str(len(value)).encode())
        for item in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
            _feed(digest, item, inside)
    elif isinstance(value, type | types.BuiltinFunctionType | np.ufunc):
        name = getattr(value, "__qualname__", value.__name__)
        if name.endswith("(vectorized)"):  # of numpy.frompyfunc, which does not show its function
            raise _unknown(value)
        digest.update(f"<{getattr(value, '__module__', '')}.{name}>".encode())
        owner = getattr(value, "__self__", None)
        if not isinstance(owner, types.ModuleType | type | None):
            _feed(digest, owner, inside)
    elif isinstance(value, functools.partial):
        digest.update(kind)
        _feed(digest, [value.func, value.args, value.keywords], inside)
    elif isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        digest.update(f"<function {value.__module__}.{value.__qualname__}>".encode())
        parts = [value.__code__, value.__defaults__, value.__kwdefaults__, cells]
        _feed(digest, parts, inside)
    elif isinstance(value, types.CodeType):  # inner functions are among the constants
        digest.update(kind + value.co_code)
        _feed(digest, [value.co_consts, value.co_names], inside)
    elif type(value).__module__.split(".")[0] == "pandas" and not hasattr(value, "iloc"):
        pandas = require("pandas", "run")
        if hasattr(value, "__array__"):  # an index, or the array of a column
            digest.update(kind)
            _feed_index(digest, pandas.Index(value), inside)
        elif pandas.api.types.is_scalar(value):
            digest.update(kind + repr(value).encode() + b";")
        else:
            raise _unknown(value)
    elif hasattr(value, "to_pandas") or hasattr(value, "iloc"):
        digest.update(kind)
        _feed_table(digest, value, inside)
    elif hasattr(value, "tocsr"):
        digest.update(kind)
        rows = value.tocsr()
        _feed(digest, ["sparse", rows.shape, rows.data, rows.indices, rows.indptr], inside)
    elif type(value).__module__.startswith("mlestar.") and hasattr(value, "state_dict"):
        digest.update(kind)
        output = getattr(value, "_sklearn_output_config", None)
        # A state names the functions among the parameters by their addresses.
        parameters = value.get_params(deep=False) if hasattr(value, "get_params") else None
        _feed(digest, [output, parameters], inside)
        try:
            _feed(digest, value.state_dict(), inside)
        except ValueError:  # fitted by scikit-learn's code: no state of ours
            _feed(digest, vars(value), inside)
    elif hasattr(value, "__array__"):
        digest.update(kind)
        try:
            values = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise _unknown(value) from error
        _feed(digest, values, inside)
    elif _shows_all(value):
        digest.update(kind)
        _feed(digest, vars(value), inside)
    else:
        raise _unknown(value)


def _unknown(value: Any) -> ValueError:
    return ValueError(f"a {type(value).__name__} has no content that could be hashed: {value!r}")


def _shows_all(value: Any) -> bool:
    """Whether an object's `vars` are all there is to it.

    A type with ways of its own to be copied or pickled may hold more than they show, as may one
    with slots; scikit-learn's estimators only add their version.
    """
    cls = type(value)
    if not hasattr(value, "__dict__") or isinstance(value, types.ModuleType | types.MethodType):
        return False
    slots = {name for one in cls.__mro__ for name in np.atleast_1d(vars(one).get("__slots__", ()))}
    if slots - {"__dict__", "__weakref__"}:
        return False
    for name in ("__reduce__", "__reduce_ex__", "__getstate__"):
        own = getattr(cls, name, None)
        if own is not getattr(object, name, None) and (
            getattr(own, "__module__", None) != "sklearn.base"
        ):
            return False
    return True


def _feed_table(digest: Any, table: Any, inside: tuple[int, ...]) -> None:
    frame = table
    if not hasattr(table, "iloc"):
        frame = table.to_pandas()
        # pandas has fewer types: whole numbers with gaps become floats there.
        digest.update(str(getattr(table, "schema", getattr(table, "type", ""))).encode())
    if not hasattr(frame, "columns"):
        frame = frame.to_frame()
    _feed_index(digest, frame.index, inside)
    _feed(digest, [repr(frame.columns.names), frame.shape], inside)
    for place, name in enumerate(frame.columns):
        values = frame.iloc[:, place]
        digest.update(f"<{type(name).__name__} {name!r}>".encode("utf-8", "surrogatepass"))
        try:
            _feed_column(digest, values, inside)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise ValueError(
                f"column {name!r} holds what has no content that could be hashed: {error}"
            ) from error


def _feed_index(digest: Any, index: Any, inside: tuple[int, ...]) -> None:
    digest.update(f"<index {list(index.names)!r}>".encode("utf-8", "surrogatepass"))
    if hasattr(index, "start"):  # a range, which needs no values
        _feed(digest, [index.start, index.stop, index.step], inside)
        return
    for level in range(index.nlevels):
        _feed_column(digest, index.get_level_values(level).to_series(), inside)


def _feed_column(digest: Any, values: Any, inside: tuple[int, ...]) -> None:
    pandas = require("pandas", "run")
    dtype = values.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        digest.update(f"<category {dtype.ordered}>".encode())
        _feed_column(digest, dtype.categories.to_series(), inside)
        _feed(digest, values.cat.codes.to_numpy(), inside)
        return
    digest.update(f"<{dtype}>".encode())
    if dtype.kind in "biufcmM" and isinstance(dtype, np.dtype):
        _feed(digest, values.to_numpy(), inside)
        return
    missing = values.isna().to_numpy()
    objects = pandas.api.types.is_object_dtype(dtype)
    if objects and pandas.api.types.infer_dtype(values, skipna=True) != "string":
        # One by one: what is equal (1, True and 1.0) is not the same.
        for cell in values:
            if isinstance(cell, list | dict | set | np.ndarray):
                raise ValueError(f"a cell is a {type(cell).__name__}")
            _feed(digest, cell, inside)
        return
    codes, distinct = pandas.factorize(values)
    kinds = [type(cell).__name__ for cell in values[missing]] if objects else []
    _feed(digest, [codes, list(distinct), kinds], inside)


# Files --------------------------------------------------------------------------------------------


def encoded(value: Any) -> tuple[Any, list[Any]]:
    """A value as a tree for JSON and the buffers that it refers to.

    Raises
    ------
    TypeError
        For what is neither an array, a table, a sparse matrix, nor a list, tuple or dictionary of
        such and of plain values.
    """
    buffers: list[Any] = []
    return _encode(value, buffers), buffers


def _encode(value: Any, buffers: list[Any]) -> Any:
    if isinstance(value, np.generic) and value.dtype.kind in "biufcmMSU":
        return {"scalar": _encode(np.asarray(value), buffers)}
    if isinstance(value, np.ndarray) and type(value) in (np.ndarray, np.memmap):
        # Some types of other libraries have the name of plain bytes.
        if value.dtype.hasobject or np.dtype(value.dtype.str) != value.dtype:
            raise TypeError(f"an array of {value.dtype} is not kept without pickle")
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        flat = np.ascontiguousarray(value.T if order == "F" else value).reshape(-1)
        buffers.append(flat.view(np.uint8))
        about = {"dtype": value.dtype.str, "shape": list(value.shape), "order": order}
        return {"array": len(buffers) - 1, **about}
    # Of these types themselves: a subclass (a named tuple) would come back as another type.
    if type(value) in _PLAIN:
        return {"plain": value}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_encode(item, buffers) for item in value]}
    if type(value) is dict and all(type(name) is str for name in value):
        return {"dict": {name: _encode(item, buffers) for name, item in value.items()}}
    if type(value).__name__ in _SPARSE and value.ndim == 2:
        parts = [_encode(part, buffers) for part in (value.data, value.indices, value.indptr)]
        return {"sparse": parts, "shape": list(value.shape), "class": type(value).__name__}
    kind = type(value).__module__.split(".")[0]
    is_frame = kind == "pandas" and type(value).__name__ == "DataFrame"
    if is_frame or (kind == "pyarrow" and type(value).__name__ == "Table"):
        arrow = require("pyarrow", "run")
        try:
            table = arrow.Table.from_pandas(value) if is_frame else value
        except (arrow.ArrowException, TypeError, ValueError) as error:
            raise TypeError(f"the table holds what Arrow has no type for: {error}") from error
        if is_frame:
            _require_same(table, value)
        sink = arrow.BufferOutputStream()
        with arrow.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        buffers.append(np.frombuffer(sink.getvalue(), dtype=np.uint8))
        return {"table": len(buffers) - 1, "pandas": is_frame}
    raise TypeError(f"a {type(value).__name__} is not kept: it has no form without pickle")


def _require_same(table: Any, frame: Any) -> None:
    """Raise TypeError where a frame would come back from its Arrow table as another."""
    none = table.slice(0, 0).to_pandas()  # types and names without the work
    changed = [
        name
        for name, back, one, two in zip(
            frame.columns, none.columns, none.dtypes, frame.dtypes, strict=False
        )
        if one != two or type(back) is not type(name)
    ]
    if changed or not none.columns.equals(frame.columns):
        raise TypeError(f"columns {changed or list(frame.columns)} do not come back as they were")
    is_object = require("pandas", "run").api.types.is_object_dtype
    kept = table.schema.pandas_metadata["index_columns"]  # those that are no range
    levels = [name for name in kept if isinstance(name, str)]
    plain = not is_object(frame.index.dtype)
    index = table.select(levels).to_pandas().index if plain else None
    objects = [place for place, dtype in enumerate(frame.dtypes) if is_object(dtype)]
    if index is None or objects:
        whole = table.to_pandas()
        index = whole.index
        for place in objects:
            pairs = zip(whole.iloc[:, place], frame.iloc[:, place], strict=True)
            if not all(type(a) is type(b) and type(a) in _CELLS for a, b in pairs):
                name = frame.columns[place]
                raise TypeError(f"column {name!r} holds objects that do not come back as they were")
    if index.dtype != frame.index.dtype or not index.equals(frame.index):
        raise TypeError("the index does not come back as it was")


def write_content(file: BinaryIO, tree: Any, buffers: list[Any]) -> None:
    """Write what `encoded` gave: a header, its hash, and the buffers, each on 64 bytes."""
    digest = hashlib.blake2b(digest_size=20)
    sizes = [int(buffer.nbytes) for buffer in buffers]
    for buffer in buffers:
        digest.update(memoryview(buffer))
    header = json.dumps({"tree": tree, "sizes": sizes, "hash": digest.hexdigest()}).encode()
    checked = hashlib.blake2b(header, digest_size=20).digest()
    start = _MAGIC + len(header).to_bytes(8, "little") + checked + header
    file.write(start + b"\0" * (-len(start) % _ALIGNED))
    for buffer in buffers:
        file.write(memoryview(buffer))
        file.write(b"\0" * (-buffer.nbytes % _ALIGNED))
    file.flush()


def read_content(path: Path, mapped: bool, verify: bool) -> Any:
    """What `write_content` wrote; arrays are read-only views of the file where `mapped`.

    Raises
    ------
    ValueError
        If the file is damaged.
    OSError
        If it cannot be read.
    """
    if path.stat().st_size < len(_MAGIC) + 28:
        raise ValueError(f"{path} is cut short")
    data = np.memmap(path, np.uint8, "r") if mapped else np.fromfile(path, np.uint8)
    data = data.view(np.ndarray)
    size = int.from_bytes(data[8:16].tobytes(), "little")
    if data[:8].tobytes() != _MAGIC or size > data.size:
        raise ValueError(f"{path} is no file of a cache")
    header = data[36 : 36 + size].tobytes()
    if hashlib.blake2b(header, digest_size=20).digest() != data[16:36].tobytes():
        raise ValueError(f"{path} has a damaged header")
    content = json.loads(header)
    buffers = list(_buffers(data, 36 + size, content["sizes"], path))
    if verify:
        digest = hashlib.blake2b(digest_size=20)
        for buffer in buffers:
            digest.update(memoryview(buffer))
        if digest.hexdigest() != content["hash"]:
            raise ValueError(f"{path} has damaged data")
    return _decode(content["tree"], buffers)


def _buffers(data: Any, start: int, sizes: list[int], path: Path) -> Iterator[Any]:
    for size in sizes:
        start += -start % _ALIGNED
        if start + size > data.size:
            raise ValueError(f"{path} is cut short")
        yield data[start : start + size]
        start += size


def _decode(tree: Any, buffers: list[Any]) -> Any:
    if "plain" in tree:
        return tree["plain"]
    if "array" in tree:
        flat = buffers[tree["array"]].view(np.dtype(tree["dtype"]))
        return flat.reshape(tree["shape"], order=tree["order"])
    if "scalar" in tree:
        return _decode(tree["scalar"], buffers)[()]
    if "list" in tree:
        return [_decode(item, buffers) for item in tree["list"]]
    if "tuple" in tree:
        return tuple(_decode(item, buffers) for item in tree["tuple"])
    if "dict" in tree:
        return {name: _decode(item, buffers) for name, item in tree["dict"].items()}
    if "sparse" in tree:
        from scipy import sparse

        if tree["class"] not in _SPARSE:
            raise ValueError(f"{tree['class']!r} is no sparse matrix that is kept")
        make = getattr(sparse, tree["class"])
        parts = tuple(_decode(part, buffers) for part in tree["sparse"])
        return make(parts, shape=tuple(tree["shape"]), copy=False)
    arrow = require("pyarrow", "run")
    table = arrow.ipc.open_stream(arrow.py_buffer(buffers[tree["table"]])).read_all()
    return table.to_pandas() if tree["pandas"] else table
