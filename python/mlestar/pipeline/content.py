"""What values are made of: their hashes, and files of them without pickle."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mlestar._lazy import require

_MAGIC = b"mlestar1"
_ALIGNED = 64
_PLAIN = (str, bool, int, float, type(None))
_READ_BYTES = 1 << 22


def content_hash(*values: Any) -> str:
    """The same 40 characters for the same content: of data, parameters, functions, transforms.

    Arrays and tables count by their values, types and names; files (``Path``) by their bytes;
    estimators by their class, their parameters and what they have learned; functions by their code,
    defaults and what they close over.

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
        digest.update(f"<array {value.dtype.str}{value.shape}>".encode())
        if value.dtype.hasobject:
            for item in value.ravel().tolist():
                _feed(digest, item, inside)
        else:
            digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
    elif isinstance(value, (*_PLAIN, bytes, complex, np.generic)):
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
        digest.update(f"<{getattr(value, '__module__', '')}.{name}>".encode())
    elif isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        digest.update(f"<function {value.__module__}.{value.__qualname__}>".encode())
        digest.update(value.__code__.co_code)
        constants = [c for c in value.__code__.co_consts if not isinstance(c, types.CodeType)]
        inner = [c.co_code for c in value.__code__.co_consts if isinstance(c, types.CodeType)]
        parts = [constants, inner, value.__code__.co_names, value.__defaults__, cells]
        _feed(digest, parts, inside)
    elif hasattr(value, "to_pandas") or hasattr(value, "iloc"):
        _feed_table(digest, value, inside)
    elif hasattr(value, "tocsr"):
        rows = value.tocsr()
        _feed(digest, ["sparse", rows.shape, rows.data, rows.indices, rows.indptr], inside)
    elif hasattr(value, "state_dict"):
        digest.update(kind)
        _feed(digest, value.state_dict(), inside)
    elif hasattr(value, "__dict__") and not isinstance(value, types.ModuleType | types.MethodType):
        digest.update(kind)
        _feed(digest, vars(value), inside)
    else:
        raise ValueError(f"a {type(value).__name__} has no content that could be hashed: {value!r}")


def _feed_table(digest: Any, table: Any, inside: tuple[int, ...]) -> None:
    pandas = require("pandas", "run")
    frame = table if hasattr(table, "iloc") else table.to_pandas()
    if not hasattr(frame, "columns"):
        frame = frame.to_frame()
    for place, name in enumerate(frame.columns):
        values = frame.iloc[:, place]
        _feed(digest, [str(name), str(values.dtype)], inside)
        if values.dtype.kind in "biufM" and isinstance(values.dtype, np.dtype):
            _feed(digest, values.to_numpy(), inside)
        else:
            codes, distinct = pandas.factorize(values)
            _feed(digest, [codes, [str(v) for v in distinct]], inside)


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
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return {"scalar": _encode(np.asarray(value), buffers)}
    if isinstance(value, np.ndarray) and type(value) in (np.ndarray, np.memmap):
        if value.dtype.hasobject or value.dtype.names:
            raise TypeError(f"an array of {value.dtype} is not kept without pickle")
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        flat = np.ascontiguousarray(value.T if order == "F" else value).reshape(-1)
        buffers.append(flat.view(np.uint8))
        about = {"dtype": value.dtype.str, "shape": list(value.shape), "order": order}
        return {"array": len(buffers) - 1, **about}
    if isinstance(value, _PLAIN):
        return {"plain": value}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_encode(item, buffers) for item in value]}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {"dict": {name: _encode(item, buffers) for name, item in value.items()}}
    if hasattr(value, "tocsr") and value.ndim == 2:
        rows = value.tocsr()
        parts = [_encode(part, buffers) for part in (rows.data, rows.indices, rows.indptr)]
        return {"sparse": parts, "shape": list(rows.shape), "matrix": "matrix" in str(type(value))}
    kind = type(value).__module__.split(".")[0]
    if kind in ("pandas", "pyarrow") and hasattr(value, "columns"):
        arrow = require("pyarrow", "run")
        is_frame = kind == "pandas"
        try:
            table = arrow.Table.from_pandas(value) if is_frame else value
        except (arrow.ArrowException, TypeError, ValueError) as error:
            raise TypeError(f"the table holds what Arrow has no type for: {error}") from error
        sink = arrow.BufferOutputStream()
        with arrow.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        buffers.append(np.frombuffer(sink.getvalue(), dtype=np.uint8))
        return {"table": len(buffers) - 1, "pandas": is_frame}
    raise TypeError(f"a {type(value).__name__} is not kept: it has no form without pickle")


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

        make = sparse.csr_matrix if tree["matrix"] else sparse.csr_array
        parts = tuple(_decode(part, buffers) for part in tree["sparse"])
        return make(parts, shape=tuple(tree["shape"]), copy=False)
    arrow = require("pyarrow", "run")
    table = arrow.ipc.open_stream(arrow.py_buffer(buffers[tree["table"]])).read_all()
    return table.to_pandas() if tree["pandas"] else table
