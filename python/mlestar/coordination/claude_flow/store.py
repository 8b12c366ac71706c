"""The memory that agents share, kept in Claude Flow, and in one SQLite file while that is away."""

from __future__ import annotations

import builtins
import hashlib
import json
import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mlestar.coordination.base import check_key, check_namespace, dump
from mlestar.coordination.claude_flow.client import ClaudeFlowClient
from mlestar.coordination.embedded import EmbeddedStore, Entry
from mlestar.exceptions import CoordinationWarning, ServerUnavailableError, ToolError

# The server takes 1 048 576 characters; ours are ASCII.
_LONGEST = 1_000_000
_PARTS = "mlestar-parts"
# Text that is itself JSON comes back parsed, and with other numbers: this prefix keeps it text.
_VALUE, _PART = "j1:", "p1:"
_PAGE = 50
# The server's own fall-back store, which forgets: it has vectors of this length.
_FALLBACK_DIMENSIONS = 128
_SWEEP_SECONDS = 30.0


class ClaudeFlowStore:
    """Memory that agents share through Claude Flow.

    Parameters
    ----------
    folder : path
        Claude Flow's data folder, made at need; its memory is ``<folder>/.swarm``.
    client : ClaudeFlowClient, default=None
        By default one of its own, stopped with the store.
    local : EmbeddedStore, default=None
        The SQLite file that holds what the server has yet to be told; a run's journal, for
        instance. By default ``<folder>/mlestar-memory.db``, stopped with the store.
    command : str or sequence of str, default=None
        See `ClaudeFlowClient`.
    timeout : float, default=5.0
        Seconds that a call of the server may take.
    poll : float, default=0.5
        Seconds between two looks of the thread that sends what waits.
    tell : callable, default=None
        Gets the words that would be a `CoordinationWarning` otherwise: for a thread that must not
        warn.

    Notes
    -----
    Implements `MemoryStore`. A write is committed to the local file, with its place in the outbox,
    before it is sent; what the server has not acknowledged stays there and is sent again. While the
    server is away (absent, dead, hanging, its memory damaged), or another process owns it, the
    store goes on in the local file, says so once (`CoordinationWarning`), and sends what waits when
    it is back, or by whichever process owns it. Of two values of a key the one written later
    counts. All processes that share a folder share the local file, so claims, which are decided
    there, are atomic whatever the server does.

    What others write into Claude Flow's memory is found too. A key that mlestar wrote is deleted
    only through a store: one that is missing on the server is written there again.

    Examples
    --------
    >>> from mlestar.coordination import ClaudeFlowStore
    >>> store = ClaudeFlowStore("project")  # doctest: +SKIP
    >>> store.store("best", {"trial": 7}, namespace="run-1")  # doctest: +SKIP
    >>> store.retrieve("best", namespace="run-1")  # doctest: +SKIP
    {'trial': 7}
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        client: ClaudeFlowClient | None = None,
        local: EmbeddedStore | None = None,
        command: str | Sequence[str] | None = None,
        timeout: float = 5.0,
        poll: float = 0.5,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._own_client, self._own_local = client is None, local is None
        if client is None:
            client = ClaudeFlowClient(folder, command=command, timeout=timeout)
        client.folder.path.mkdir(parents=True, exist_ok=True)
        self.client = client
        self.local = local or EmbeddedStore(client.folder.path / "mlestar-memory.db")
        self._timeout, self._poll, self._tell_words = timeout, poll, tell
        self._sending = threading.RLock()
        self._saying = threading.Lock()
        self._away = self._refusing = False
        self._failure = ""  # of the last call, though the client may be up
        self._fresh = 0
        self._seen: dict[str, float] = {}
        self._refused: dict[int, float] = {}
        self._closed = threading.Event()
        self._swept = time.monotonic()
        self._pump = threading.Thread(target=self._run, name="mlestar-outbox", daemon=True)
        client.start(wait=False)
        client.wait(client.start_timeout)
        self._say()
        self._pump.start()

    # What is said once

    def notice(self) -> None:
        """Say it if the server has gone away since the last call of any method."""
        self._say()

    def _say(self, refusal: str = "") -> None:
        """Warn when the server goes away, and note when it is back."""
        if threading.current_thread() is self._pump:
            return  # the next call of the user's says it
        with self._saying:
            state, away = self.client.state, self._away
            if refusal:
                if self._refusing:
                    return
                self._refusing = True
            elif state == "up" and not self._failure:
                self._away = False
                if away:
                    logging.getLogger("mlestar").info("Claude Flow is back")
                return
            elif away or state in ("waiting", "starting", "closed"):
                return
            else:
                self._away = True
        verb = "refuses" if refusal else "is away"
        why = refusal or self.client.reason or self._failure
        words = (
            f"Claude Flow {verb} ({why}): "
            f"the agents go on in {self.local.path}, and what they store is sent when it can be"
        )
        if self._tell_words is not None:
            self._tell_words(words)
        else:
            warnings.warn(words, CoordinationWarning, stacklevel=4)

    def _ask(self, tool: str, **arguments: Any) -> dict[str, Any] | None:
        """A memory tool's answer; None while the server is away."""
        try:
            return self._call(tool, arguments)
        except ServerUnavailableError:
            return None

    def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self.client.call(tool, arguments, timeout=self._timeout)
        except ServerUnavailableError as error:
            self._failure = str(error)
            raise
        self._failure = ""
        return answer

    # The outbox

    def _run(self) -> None:
        while not self._closed.wait(self._poll):
            if self.client.state != "up":
                continue
            try:
                self.deliver()
                for namespace in self.local.namespaces():
                    self._pull(namespace)
                if time.monotonic() - self._swept > _SWEEP_SECONDS:
                    self._swept = time.monotonic()
                    self.local.sweep()
            except Exception:
                logging.getLogger("mlestar").debug("the outbox waits", exc_info=True)

    def deliver(self, seconds: float | None = None) -> int:
        """Send what waits; how many keys wait afterwards.

        Parameters
        ----------
        seconds : float, default=None
            Try until nothing waits or this time is over; by default once.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            self._send_all()
            left = self.local.waiting()
            if not left or end is None or time.monotonic() >= end:
                return left
            time.sleep(0.02)

    def _send_all(self) -> None:
        after = 0
        while self.client.state == "up":
            if self._fresh != self.client.fresh:
                # A server with an empty memory: what the last one acknowledged is sent again.
                self._fresh = self.client.fresh
                self.local.requeue()
            batch = self.local.pending(after=after)
            for seq, entry in batch:
                if not self._send(seq, entry):
                    return
                after = seq
            if not batch:
                return

    def _send_key(self, key: str, namespace: str) -> None:
        """Send one key's last value at once, if the server is there."""
        if self.client.state == "up":
            found = self.local.pending_of(key, namespace=namespace)
            if found is not None:
                self._send(*found)
        self._say()

    def _send(self, seq: int, entry: Entry) -> bool:
        """Tell the server an entry; False if it is away. One that it refuses waits for a while."""
        if self._refused.get(seq, 0.0) > time.monotonic():
            return True
        with self._sending:
            if self.local.pending_of(entry.key, namespace=entry.namespace) != (seq, entry):
                return True  # sent, or written again, while we waited
            try:
                parts = self._tell(entry)
            except ServerUnavailableError:
                return False
            except ToolError as error:
                self._refused[seq] = time.monotonic() + 1.0
                self._say(str(error))
                return True
            self._refused.pop(seq, None)
            self._refusing = False
            self.local.acknowledge(seq, entry, dump(parts))
            return True

    def _tell(self, entry: Entry) -> builtins.list[tuple[str, int]]:
        """Write or delete an entry on the server; the pieces in which it now lies there."""
        old = [(name, count) for name, count in json.loads(entry.parts)]
        where = {"key": entry.key, "namespace": entry.namespace}
        parts: builtins.list[tuple[str, int]] = []
        if not entry.live:
            self._done("memory_delete", where)
        else:
            text, pieces = _encode(entry)
            if pieces:
                name = json.loads(text.removeprefix(_VALUE))["p"][0]
                parts = [(name, len(pieces))]
                for i, piece in enumerate(pieces):
                    self._put(f"{name}/{i}", _PART + piece, _PARTS, [])
            self._put(entry.key, text, entry.namespace, json.loads(entry.tags))
        for name, count in old:
            if (name, count) not in parts:
                for i in range(count):
                    self._done("memory_delete", {"key": f"{name}/{i}", "namespace": _PARTS})
        return parts

    def _put(self, key: str, text: str, namespace: str, tags: builtins.list[str]) -> None:
        arguments = {"key": key, "value": text, "namespace": namespace, "tags": tags}
        answer = self._done("memory_store", arguments)
        if answer.get("embeddingDimensions") == _FALLBACK_DIMENSIONS:
            self.client.restart("its memory file is damaged: it answers from one that it forgets")
            raise ServerUnavailableError(self.client.reason)

    def _done(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self._call(tool, arguments)
        # To delete what is not there says success: false, and nothing of an error.
        if answer.get("success") is not True and (tool == "memory_store" or "error" in answer):
            raise ToolError(f"{tool}: {answer.get('error', answer)}")
        return answer

    # What others wrote

    def _look(self, key: str, namespace: str) -> Entry | None:
        """The newest of what the server and the local file hold under a key."""
        mine, theirs = self.local.entry(key, namespace=namespace), None
        for _ in range(2):  # a long value may be written again while its pieces are read
            try:
                answer = self._ask("memory_retrieve", key=key, namespace=namespace)
                theirs = self._decode(key, namespace, answer) if answer else None
            except ToolError as error:
                self._say(str(error))
                return mine
            if theirs is not None or answer is None or answer.get("found") is not True:
                break
        self._say()
        if answer is None:
            return mine
        if answer.get("found") is not True:
            return self._missing(mine)
        if theirs is None and mine is None:
            raise ServerUnavailableError(f"pieces of {key!r} are missing on the server")
        if theirs is None or (mine is not None and mine.stamp >= theirs.stamp):
            return mine
        self.local.adopt(theirs)
        return self.local.entry(key, namespace=namespace)

    def _missing(self, mine: Entry | None) -> Entry | None:
        """What counts of an entry that the server does not have: ours goes there again."""
        if mine is None or not mine.live or not mine.sent:
            return mine
        if mine.adopted:
            self.local.forget(mine.key, namespace=mine.namespace)
        else:
            self.local.requeue(mine.key, namespace=mine.namespace)
        return self.local.entry(mine.key, namespace=mine.namespace)

    def _decode(self, key: str, namespace: str, answer: dict[str, Any]) -> Entry | None:
        """What the server holds, as an entry; None where there is nothing or a piece is missing."""
        if answer.get("found") is not True:
            return None
        # The server says when in milliseconds, and may have rounded up.
        at = int(answer.get("updatedAt") or 0)
        value = answer.get("value")
        sent = (at + 1) * 1_000_000
        if isinstance(value, str) and value.startswith(_VALUE):
            try:
                ours = json.loads(value.removeprefix(_VALUE))
                stamp, expires, tags = int(ours["s"]), ours["e"], dump(ours["g"])
                if "p" not in ours:
                    text = dump(ours["v"])
                    return Entry(namespace, key, text, tags, stamp, expires, 0, sent)
                name, count = ours["p"]
            except (ValueError, KeyError, TypeError):
                pass  # somebody else's text that begins like ours
            else:
                pieces = []
                for i in range(count):
                    piece = self._ask("memory_retrieve", key=f"{name}/{i}", namespace=_PARTS) or {}
                    pieces.append(str(piece.get("value", "")).removeprefix(_PART))
                whole = "".join(pieces)
                if _digest(whole) != name.split("/")[-1]:
                    return None  # written again while we read
                parts = dump([[name, count]])
                return Entry(namespace, key, whole, tags, stamp, expires, 0, sent, parts)
        tags = dump([str(tag) for tag in answer.get("tags") or []])
        return Entry(namespace, key, dump(value), tags, at * 1_000_000, None, 0, sent)

    def _pull(self, namespace: str) -> None:
        """Take over what others wrote into a namespace since the last look."""
        newest = known = self._seen.get(namespace, 0.0)
        offset = 0
        while True:
            answer = self._ask("memory_list", namespace=namespace, limit=_PAGE, offset=offset)
            if answer is None:
                return
            rows = answer.get("entries") or []
            for row in rows:
                at = float(row.get("updatedAt") or 0.0)
                newest = max(newest, at)
                key = str(row.get("key"))
                mine = self.local.entry(key, namespace=namespace)
                if at >= known and (mine is None or at * 1e6 > max(mine.sent, mine.stamp)):
                    try:
                        check_key(key)
                    except ValueError:
                        continue  # no store could hold it
                    self._look(key, namespace)
            offset += len(rows)
            if len(rows) < _PAGE or float(rows[-1].get("updatedAt") or 0.0) < known:
                break
        self._seen[namespace] = newest

    def _drop_deleted(self, namespace: str) -> None:
        """Forget what others wrote and have deleted since."""
        adopted = set(self.local.adopted(namespace=namespace))
        offset = 0
        while adopted:
            answer = self._ask("memory_list", namespace=namespace, limit=1000, offset=offset)
            if answer is None or "error" in answer:
                return
            rows = answer.get("entries") or []
            adopted -= {row.get("key") for row in rows}
            offset += len(rows)
            if len(rows) < 1000:
                break
        for key in adopted:
            self.local.forget(key, namespace=namespace)

    def _refresh(self, namespace: str) -> None:
        check_namespace(namespace)
        if self.client.state == "up":
            try:
                self._pull(namespace)
                self._drop_deleted(namespace)
            except ToolError as error:
                self._say(str(error))
        self._say()

    # Memory

    def store(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        seconds: float | None = None,
    ) -> None:
        """Write a JSON value, replacing one of the same key; it is gone after `seconds`."""
        _not_ours(namespace)
        self.local.store(key, value, namespace=namespace, tags=tags, seconds=seconds, send=True)
        self._send_key(key, namespace)

    def store_once(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        seconds: float | None = None,
    ) -> bool:
        """Write a value unless the key has one; whether it was written.

        Atomic among the processes that share the folder.
        """
        _not_ours(namespace)
        if self.local.entry(check_key(key), namespace=check_namespace(namespace)) is None:
            self._look(key, namespace)
        written = self.local.store_once(
            key, value, namespace=namespace, tags=tags, seconds=seconds, send=True
        )
        if written:
            self._send_key(key, namespace)
        return written

    def retrieve(self, key: str, *, namespace: str = "default") -> Any:
        """Read a value exactly as it was written; KeyError if there is none."""
        entry = self._look(check_key(key), check_namespace(namespace))
        if entry is None or not entry.live:
            raise KeyError(key)
        return json.loads(entry.value)

    def search(
        self,
        query: str = "",
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        limit: int = 50,
    ) -> builtins.list[tuple[str, Any]]:
        """Keys and values, by key: those whose key, tags or text contain `query` and that have all
        of `tags`.

        The server's own search cuts values to 60 characters and sees no keys and no tags.
        """
        self._refresh(namespace)
        return self.local.search(query, namespace=namespace, tags=tags, limit=limit)

    def list(self, *, namespace: str = "default", prefix: str = "") -> builtins.list[str]:
        """Keys that start with `prefix`, sorted."""
        self._refresh(namespace)
        return self.local.list(namespace=namespace, prefix=prefix)

    def stamps(self, *, namespace: str = "default", prefix: str = "") -> dict[str, int]:
        """For each key that starts with `prefix`, a number that grows whenever it is written."""
        self._refresh(namespace)
        return self.local.stamps(namespace=namespace, prefix=prefix)

    def delete(self, key: str, *, namespace: str = "default") -> bool:
        """Remove a value; whether there was one."""
        _not_ours(namespace)
        if self.local.entry(check_key(key), namespace=check_namespace(namespace)) is None:
            self._look(key, namespace)
        found = self.local.delete(key, namespace=namespace, send=True)
        if found:
            self._send_key(key, namespace)
        return found

    def claim(self, key: str, owner: str, *, seconds: float, namespace: str = "default") -> bool:
        """Take, or keep, a lease on a key; False while another owner's lease lasts. Atomic."""
        return self.local.claim(key, owner, seconds=seconds, namespace=namespace)

    def release(self, owner: str, key: str | None = None, *, namespace: str = "default") -> int:
        """Give up an owner's lease on a key, or all it has anywhere; how many there were."""
        return self.local.release(owner, key, namespace=namespace)

    def namespaces(self) -> builtins.list[str]:
        """Namespaces that hold a value, sorted; the server's own among them."""
        try:
            answer = self._ask("memory_stats") or {}
        except ToolError as error:
            answer = {}
            self._say(str(error))
        for namespace in sorted(answer.get("namespaces") or {}):
            if namespace != _PARTS:
                try:
                    self._refresh(namespace)
                except ValueError:
                    continue  # no store could hold it
        return self.local.namespaces()

    def close(self) -> None:
        """Send what waits, for two seconds at most, and stop."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._pump.join()
        if self.client.state == "up":
            self.deliver(2.0)
        if self._own_client:
            self.client.close()
        if self._own_local:
            self.local.close()

    def __enter__(self) -> ClaudeFlowStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _not_ours(namespace: Any) -> None:
    if namespace == _PARTS:
        raise ValueError(f"namespace is {namespace!r}, which holds the pieces of long values")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _encode(entry: Entry) -> tuple[str, builtins.list[str]]:
    """An entry's text on the server, and the pieces of a value that is too long for one."""
    head: dict[str, Any] = {
        "s": entry.stamp,
        "e": entry.expires,
        "g": json.loads(entry.tags),
    }
    if len(entry.value) <= _LONGEST // 2:
        return _VALUE + dump(head)[:-1] + ', "v": ' + entry.value + "}", []
    pieces = [entry.value[i : i + _LONGEST] for i in range(0, len(entry.value), _LONGEST)]
    # A name of this write alone: nobody reads half of an old value and half of a new one.
    where = _digest(f"{entry.namespace} {entry.key} {entry.stamp}")[:16]
    head["p"] = [f"{where}/{_digest(entry.value)}", len(pieces)]
    return _VALUE + dump(head), pieces
