"""Random arguments: arrays of every dtype, shape, stride and value, and things that are no arrays."""

from __future__ import annotations

import ctypes
import math
import mmap
from _datetime import datetime_CAPI  # a capsule that is no generator

import numpy as np

_libc = ctypes.CDLL(None, use_errno=True)
_PAGE = mmap.PAGESIZE
_READ, _NONE = mmap.PROT_READ, 0

NATIVE = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
OTHERS = [
    "f2",
    "g",
    "F",
    "D",
    "G",
    "O",
    "S5",
    "S0",
    "U3",
    "U0",
    "U17",
    "V7",
    "V0",
    "M8[ns]",
    "M8[D]",
    "M8",
    "m8[s]",
    "m8",
    ">i2",
    ">i4",
    ">i8",
    ">u8",
    ">f4",
    ">f8",
    ">U3",
    ">M8[s]",
    "T",
    [("a", "i4"), ("b", "f8")],
    [("a", "O")],
    ("i4", (2,)),
    {"names": ["x"], "formats": ["f8"], "itemsize": 19},
]
SIZES = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 100, 255, 1000, 4095, 4096, 4097, 9000]
LARGE = 130_001  # above what one thread does with the GIL held
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    math.nan,
    math.inf,
    -math.inf,
    5e-324,
    2.2e-308,
    1e-45,
    1.8e308,
    2.0**51,
    2.0**52 + 1,
    2.0**53,
    2.0**63,
    -(2.0**63),
    2.0**64,
    1e300,
    3.4e38,
    1e-300,
]
INTS = [
    0,
    1,
    -1,
    2,
    3,
    7,
    255,
    256,
    32767,
    65535,
    65536,
    -(2**31),
    -(2**63),
    2**63 - 1,
    2**62,
]  # no size between: memory


class Raises:
    """An object whose every conversion fails."""

    def __array__(self, *_, **__):
        raise ValueError("no array")

    def __len__(self):
        raise TypeError("no length")

    def __index__(self):
        raise OverflowError("no index")

    def __float__(self):
        raise ZeroDivisionError("no float")


class Inputs:
    """The arguments of one call; `rows` is what most of its arrays have, so that they fit."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.rows = LARGE if rng.random() < 0.004 else int(rng.choice(SIZES))
        self.classes = int(rng.choice([1, 2, 2, 3, 10, 300]))
        self.columns = int(rng.choice([1, 2, min(self.classes, 5)]))
        # Calls in which everything is odd end at the first check; most are nearly right.
        self.wild = float(rng.choice([0.0, 0.0, 0.3, 1.0]))
        self.texts = bool(rng.random() < 0.1)  # whether its arrays are of strings
        self.keep: list[object] = []

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def odd(self, share: float) -> bool:
        return self.chance(share * self.wild)

    def pick(self, values):
        return values[int(self.rng.integers(len(values)))]

    # Arrays ------------------------------------------------------------------------------------

    def shape(self) -> tuple[int, ...]:
        if self.odd(0.15):
            sizes = [0, 1, 2, 3, 9, 65, self.rows if self.rows < 10_000 else 5]
            shape = tuple(int(self.pick(sizes)) for _ in range(int(self.rng.integers(4))))
            return shape if math.prod(shape) < 200_000 else shape[:1]
        if self.chance(0.25):
            return (self.rows, self.columns)
        return (self.rows,)

    def dtype(self) -> np.dtype:
        if self.texts and self.chance(0.8):
            return np.dtype(self.pick(["U1", "U3", "U17"]))
        kind = self.pick(OTHERS) if self.odd(0.3) else self.pick([*NATIVE, "i8", "f8", "f8", "U3"])
        return np.dtypes.StringDType() if kind == "T" else np.dtype(kind)

    def buffer(self, nbytes: int) -> np.ndarray:
        """Bytes that end (or begin) where memory may not be touched, or plain ones."""
        if nbytes == 0 or self.chance(0.4):
            return np.empty(nbytes, np.uint8)
        pages = -(-nbytes // _PAGE)
        region = mmap.mmap(-1, (pages + 2) * _PAGE)
        base = ctypes.addressof(ctypes.c_char.from_buffer(region))
        data = np.frombuffer(region, np.uint8)
        for page in (0, pages + 1):
            _libc.mprotect(ctypes.c_void_p(base + page * _PAGE), ctypes.c_size_t(_PAGE), _NONE)
        end = (pages + 1) * _PAGE
        return data[end - nbytes : end] if self.chance(0.7) else data[_PAGE : _PAGE + nbytes]

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array of that shape whose strides, order and alignment are anything."""
        if dtype.hasobject or dtype.kind == "T" or dtype.itemsize == 0:
            return np.zeros(shape, dtype)
        how = self.pick(["plain"] * 6 + ["step", "reverse", "fortran", "offset", "field", "padded"])
        count = math.prod(shape)
        if not shape or count == 0 or how == "plain":
            return self.buffer(count * dtype.itemsize).view(dtype).reshape(shape)
        if how == "fortran":
            return self.buffer(count * dtype.itemsize).view(dtype).reshape(shape[::-1]).T
        if how == "offset":  # unaligned
            shift = int(self.rng.integers(1, 8))
            return self.buffer(count * dtype.itemsize + shift)[shift:].view(dtype).reshape(shape)
        if how == "field":
            packed = np.dtype([("x", "u1"), ("y", dtype)])
            return self.buffer(count * packed.itemsize).view(packed)["y"].reshape(shape)
        if how == "padded":  # columns of a wider table
            wide = (*shape[:-1], shape[-1] + 3)
            return (
                self.buffer(math.prod(wide) * dtype.itemsize).view(dtype).reshape(wide)[..., 2:-1]
            )
        step = 3 if how == "step" else -1
        long = (shape[0] * abs(step), *shape[1:])
        whole = self.buffer(math.prod(long) * dtype.itemsize).view(dtype).reshape(long)
        return whole[::step][: shape[0]]

    def fill(self, array: np.ndarray) -> None:
        rng, kind, shape = self.rng, array.dtype.kind, array.shape
        how = self.pick(["labels"] * 4 + ["unit"] * 3 + ["normal", "one", "sorted"])
        if self.odd(0.25):
            how = self.pick(["special", "bytes"])
        if kind == "O":
            things = [None, 1, 2.5, "a", "b", True, (1,), math.nan, 10**30]
            array[...] = np.array(
                [self.pick(things) for _ in range(max(array.size, 1))] + [None], "O"
            )[: array.size].reshape(shape)
        elif kind in "SUT":
            words = np.array(["a", "b", "yes", "no", "", "é", "\U0001f600x", "a\0b"])
            chosen = words[rng.integers(0, self.pick([1, 2, len(words)]), shape)]
            array[...] = np.char.encode(chosen, "utf-8") if kind == "S" else chosen
            if kind == "U" and how == "bytes":
                self.noise(array)  # code points that are none
        elif kind in "MmV" or how == "bytes":
            self.noise(array)
        else:
            with np.errstate(all="ignore"):
                array[...] = self.numbers(how, shape).astype(array.dtype)
            if how != "special" and array.size and kind in "fcui" and self.odd(0.15):
                value = self.pick(SPECIAL if kind in "fc" else [0, 1, np.iinfo(array.dtype).max])
                with np.errstate(all="ignore"):
                    array[(self.rng.integers(0, array.shape[0]),) if shape else ...] = value

    def numbers(self, how: str, shape: tuple[int, ...]) -> np.ndarray:
        rng = self.rng
        if how == "labels":
            return rng.integers(0, self.classes, shape) + int(
                self.pick([0, -1, 5, 1000]) if self.odd(0.5) else 0
            )
        if how == "unit":
            values = np.asarray(rng.random(shape))
            if len(shape) == 2:
                values = values / values.sum(axis=1, keepdims=True)
            return values
        if how == "special":
            return np.asarray(rng.choice(SPECIAL, shape))
        if how == "one":
            return np.full(shape, self.pick([0.0, 1.0, -3.0]))
        values = np.asarray(rng.normal(size=shape))
        return np.sort(values, axis=0) if how == "sorted" and shape else values

    def noise(self, array: np.ndarray) -> None:
        """Random bytes, the paddings' too; also bools that are neither 0 nor 1."""
        if array.dtype.itemsize and not array.dtype.hasobject:
            size = array.size * array.dtype.itemsize
            array[...] = np.frombuffer(self.rng.bytes(size), array.dtype).reshape(array.shape)

    def array(self, wanted: str | None = None) -> np.ndarray:
        """An array; of the wanted dtype where there is one."""
        dtype, shape = self.dtype() if wanted is None else np.dtype(wanted), self.shape()
        if dtype.subdtype is not None:
            dtype = dtype.base
        array = self.empty(shape, dtype)
        self.fill(array)
        if self.odd(0.1) and array.ndim:
            array = np.broadcast_to(array[:1], array.shape)  # strides of zero
        if self.odd(0.05) and array.ndim == 1 and array.size > 2 and array.dtype.kind in "biufU":
            stride = array.strides[0] * int(self.pick([1, -1]))
            start = array if stride == array.strides[0] else array[::-1]
            array = np.lib.stride_tricks.as_strided(start, (array.size // 2, 2), (stride, stride))
        if self.chance(0.1):
            array.flags.writeable = False
        return array

    def changed(self, array: np.ndarray) -> np.ndarray:
        """A copy that may differ in an element, its length or its dtype."""
        array = array.copy()
        if self.odd(0.3) and array.size and array.dtype.kind in "iuf":
            values = [0, 1, np.iinfo(array.dtype).max] if array.dtype.kind in "iu" else SPECIAL
            array.flat[int(self.rng.integers(array.size))] = self.pick(values)
        if self.odd(0.1):
            return (
                self.pick([array[:-1], np.repeat(array, 2, axis=0), array.astype("f4")])
                if array.ndim
                else array
            )
        return array

    # Everything else ----------------------------------------------------------------------------

    def anything(self) -> object:
        """What an argument that may be an array is given."""
        array = self.array()
        if not self.odd(0.15):
            return array
        return self.pick(
            [
                None,
                3,
                -1,
                2.5,
                "text",
                b"bytes",
                [],
                [1, 2, 3],
                [[1], [2, 3]],
                (1.0, 2.0),
                {},
                object(),
                Raises(),
                np.float64(1),
                np.int8(1),
                array.tolist() if array.dtype.kind in "biuf" else [],
                memoryview(b"abc"),
                range(3),
                np.ma.masked_array([1, 2]),
                np.matrix([[1, 2]]),
                np.random.default_rng(0),
                type,
                print,
            ]
        )

    def integer(self) -> object:
        if not self.odd(0.4):
            return int(self.rng.integers(0, 4))
        if self.chance(0.5):
            return self.pick([self.rows, self.rows - 1, self.rows + 1, self.classes, *INTS])
        return self.pick(
            [
                True,
                2.5,
                "1",
                None,
                np.int64(3),
                np.uint8(3),
                np.float64(2),
                2**63,
                2**64,
                10**30,
                Raises(),
                [],
            ]
        )

    def floating(self) -> object:
        if not self.odd(0.4):
            return float(self.pick([0.0, 0.25, 0.5, 1.0, 2.0]))
        return self.pick([*SPECIAL, 3, True, "x", None, 10**400, Raises(), np.float32(1)])

    def integers(self) -> object:
        if not self.odd(0.2):
            size = int(self.pick([1, 2, 3, self.classes]))
            return [int(i) for i in self.rng.integers(-1, max(self.classes, 2), size)]
        return self.pick(
            [None, [2**63], [2.5], ["a"], "abc", 5, [None], np.arange(3), [2**62, 2**62], (1, 2)]
        )

    def arrays(self) -> object:
        if not self.odd(0.1):
            return [self.anything() for _ in range(int(self.rng.integers(0, 4)))]
        return self.anything()

    def flag(self) -> object:
        return (
            self.pick([True, False])
            if not self.odd(0.2)
            else self.pick([None, 0, 1, "x", np.True_])
        )

    def capsule(self) -> object:
        if not self.odd(0.2):
            kind = self.pick(
                [np.random.MT19937, np.random.PCG64, np.random.SFC64, np.random.Philox]
            )
            generator = kind(int(self.rng.integers(1000)))
            self.keep.append(generator)  # the capsule does not own it
            return generator.capsule
        return self.pick([datetime_CAPI, None, 5, np.random.default_rng(0), object()])

    def text(self, words: list[str]) -> object:
        if words and not self.odd(0.2):
            return self.pick(words)
        return self.pick(["", "nonsense", "\ud800", "\0", "é" * 1000, None, 3, b"binary"])
