"""A client that starts Claude Flow's server, owns it, and starts it again when it fails."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from mlestar._lazy import require
from mlestar.coordination.base import check_seconds
from mlestar.coordination.claude_flow.server import (
    ServerFolder,
    check_identity,
    find_server,
)
from mlestar.exceptions import ServerError, ServerUnavailableError, ServerVersionError, ToolError

_T = TypeVar("_T")

# Calls after which the server gets a new ledger: it adds about 0.05 ms to a call for each past one.
_LEDGER_CALLS = 16
_OWNER_POLL = 0.5
_PING_SECONDS = 1.0


class ClaudeFlowClient:
    """Claude Flow's tools, called on a server of our own.

    Parameters
    ----------
    folder : path
        The server's data folder: its memory is ``<folder>/.swarm``. One process at a time owns the
        server of a folder; the next takes over when it ends.
    command : str or sequence of str, default=None
        What starts ``claude-flow``, or the folder of an install; by default one that is found (see
        `mlestar.coordination.claude_flow.server.find_server`).
    timeout : float, default=10.0
        Seconds that a call may take unless it says otherwise.
    start_timeout : float, default=20.0
        Seconds that a start may take.
    backoff : (float, float), default=(0.2, 60.0)
        Pause before the first restart in seconds, doubled until a server has answered, and the
        longest.

    Attributes
    ----------
    state : str
        "new", "starting", "up", "down" (a restart follows), "waiting" (another process owns the
        server), "failed" (for good: see `reason`) or "closed".
    reason : str
        Why the server is not up.
    starts : int
        Servers started.
    fresh : int
        How many of them began with an empty memory.

    Raises
    ------
    ImportError
        Without the extra ``claude-flow``.

    Notes
    -----
    Memory calls are sent one at a time, all others one at a time beside them: the server loses
    updates that overlap, and none that waits for its model download holds up the memory. A thread
    of its own runs the connection, so that calls may come from any thread and any event loop.

    Examples
    --------
    >>> from mlestar.coordination import ClaudeFlowClient
    >>> with ClaudeFlowClient("project") as client:  # doctest: +SKIP
    ...     client.call("memory_store", {"key": "greeting", "value": "hello"})["success"]
    True
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        command: str | Sequence[str] | None = None,
        timeout: float = 10.0,
        start_timeout: float = 20.0,
        backoff: tuple[float, float] = (0.2, 60.0),
    ) -> None:
        require("mcp", "claude-flow")
        self.folder = ServerFolder(folder)
        self._command = command
        self._timeout = check_seconds(timeout) or 0.0
        self.start_timeout = check_seconds(start_timeout) or 0.0
        self._backoff = backoff
        self.state = "new"
        self.reason = "it has not been started"
        self.starts = 0
        self.fresh = 0
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._running = threading.Event()
        # The rest belongs to the thread of the connection.
        self._session: Any = None
        self._broken: asyncio.Event
        self._closing: asyncio.Event
        self._lanes: dict[bool, asyncio.Lock] = {}
        self._under_way = 0
        self._since_turn = 0
        self._answered = False

    # Life

    def start(self, *, wait: bool = True) -> None:
        """Start the server, and keep one running until `close`.

        Parameters
        ----------
        wait : bool, default=True
            Return once it is up, or raise why it is not.

        Raises
        ------
        ServerUnavailableError, ServerVersionError
            If there is no server, or none of version 3.x; with `wait`, also if it does not come up.
        """
        if self._thread is None:
            if self.state == "closed":
                raise ServerUnavailableError("the client is closed")
            self._set("starting", "it is starting")
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._live()), name="mlestar-claude-flow", daemon=True
            )
            self._thread.start()
        if wait and self.wait(self.start_timeout) != "up":
            if isinstance(self._error, ServerError):
                raise self._error
            raise ServerUnavailableError(f"Claude Flow is not up: {self.reason}")

    def wait(self, seconds: float) -> str:
        """Wait until the start has succeeded or failed; the state."""
        with self._changed:
            self._changed.wait_for(lambda: self.state not in ("new", "starting"), seconds)
            return self.state

    def close(self) -> None:
        """Stop the server; the client cannot be used afterwards."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._running.wait()
            try:
                self._loop.call_soon_threadsafe(self._closing.set)  # type: ignore[union-attr]
            except RuntimeError:
                pass  # it has ended by itself
            thread.join()
        self._set("closed", "the client is closed")

    def __enter__(self) -> ClaudeFlowClient:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> ClaudeFlowClient:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    # Calls

    def call(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Call a tool.

        Parameters
        ----------
        tool : str
            Such as "memory_store".
        arguments : mapping, default=None
            JSON values.
        timeout : float, default=None
            Seconds; by default the client's.

        Returns
        -------
        dict
            The tool's answer. Each tool has its own way to say that it failed.

        Raises
        ------
        ToolError
            If the server refuses the call.
        ServerUnavailableError
            If the server is not up, dies, does not answer in time or answers nonsense. Whether the
            call had its effect is then unknown.
        """
        return self._submit(self._request(tool, arguments, timeout)).result()

    async def acall(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """`call`, awaited from any event loop."""
        return await asyncio.wrap_future(self._submit(self._request(tool, arguments, timeout)))

    def health(self) -> dict[str, Any]:
        """State, reason, process id, starts, and milliseconds that a ping takes (None where the
        server does not answer)."""
        latency: float | None = None
        if self.state == "up":
            begin = time.perf_counter()
            try:
                if self._submit(self._ping()).result():
                    latency = (time.perf_counter() - begin) * 1e3
            except ServerUnavailableError:
                pass  # it went down just now; the state below says so
        return {
            "state": self.state,
            "reason": self.reason,
            "pid": self.folder.pid(),
            "starts": self.starts,
            "ping_ms": latency,
        }

    async def ahealth(self) -> dict[str, Any]:
        """`health`, awaited."""
        return await asyncio.to_thread(self.health)

    def restart(self, reason: str) -> None:
        """Kill the server and start another."""

        async def break_it() -> None:
            self._break(reason)

        self._submit(break_it()).result()

    # The thread of the connection

    def _set(self, state: str, reason: str = "", error: Exception | None = None) -> None:
        with self._changed:
            self.state, self.reason, self._error = state, reason, error
            self._changed.notify_all()

    def _submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        loop = self._loop
        if loop is not None and self.state == "up":
            try:
                return asyncio.run_coroutine_threadsafe(work, loop)
            except RuntimeError:
                pass  # the loop ended just now
        work.close()
        raise ServerUnavailableError(f"Claude Flow is not up: {self.reason}")

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._lanes = {True: asyncio.Lock(), False: asyncio.Lock()}
        self._running.set()
        first, longest = self._backoff
        pause = first
        try:
            while not self._closing.is_set():
                self._answered = False
                try:
                    if await self._own():
                        await self._serve()
                except (ServerVersionError, ImportError, ValueError) as error:
                    self._set("failed", str(error), error)
                    return
                except Exception as error:
                    self._set("down", _innermost(error), _cause(error))
                if self._answered:
                    pause = first
                await self._sleep(pause)
                pause = min(2 * pause, longest)
        finally:
            self.folder.give()

    async def _own(self) -> bool:
        while not self.folder.take():
            reason = f"process {self.folder.owner()} owns the server of {self.folder.path}"
            self._set("waiting", reason, ServerUnavailableError(reason))
            await self._sleep(_OWNER_POLL)
            if self._closing.is_set():
                return False
        return True

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            pass  # nobody closed

    async def _serve(self) -> None:
        """One server's life; returns when we close, raises when it fails."""
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client

        # It logs a traceback for the id-less errors with which the server answers notifications.
        logging.getLogger("mcp.client.stdio").addHandler(logging.NullHandler())
        command = find_server(self._command, self.folder.path)
        fresh = self.folder.prepare()
        self._broken, self._why = asyncio.Event(), ""
        argv = self.folder.wrapped(command)
        parameters = StdioServerParameters(
            command=argv[0],
            args=argv[1:],
            env=dict(self.folder.environment()),
            cwd=str(self.folder.scratch),
        )
        log_path = self.folder.scratch / "server.log"
        log = log_path.open("w")
        before = self.starts
        try:
            async with stdio_client(parameters, errlog=log) as streams:
                try:
                    async with ClientSession(*streams) as session:
                        self._session = session
                        if not await self._started(session):
                            return
                        self.starts += 1
                        self.fresh += fresh
                        self._set("up")
                        with self._watched():
                            await self._until_broken()
                finally:
                    self._session = None
                    if not self._closing.is_set():
                        # What hangs would keep the transport waiting for its end.
                        self.folder.kill()
        except Exception as error:
            cause = _cause(error)
            if self.starts > before or isinstance(cause, ServerVersionError):
                raise cause from None
            words = log_path.read_text(errors="replace").strip().splitlines()
            said = f"; it said: {words[-1][:200]}" if words else ""
            raise ServerUnavailableError(f"it did not start: {_innermost(cause)}{said}") from None
        finally:
            log.close()
        if not self._closing.is_set():
            raise ServerUnavailableError(self._why)

    async def _started(self, session: Any) -> bool:
        """Greet a server; False where we close before it has answered."""
        greeting = asyncio.ensure_future(self._greet(session))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait(
                [greeting, closing], timeout=self.start_timeout, return_when="FIRST_COMPLETED"
            )
            if greeting.done():
                await greeting
                return True
            if closing.done():
                self.folder.kill()
                return False
            raise ServerUnavailableError(f"no answer within {self.start_timeout:g} s")
        finally:
            greeting.cancel()
            closing.cancel()

    async def _greet(self, session: Any) -> None:
        found = (await session.initialize()).server_info
        check_identity(found.name, found.version)
        # The first memory call opens the database and starts the server's search for its model.
        await self._send("memory_list", {"limit": 1}, self.start_timeout)
        self._answered = False

    async def _until_broken(self) -> None:
        waits = [asyncio.ensure_future(e.wait()) for e in (self._broken, self._closing)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _watched(self) -> _Watch:
        return _Watch(self.folder.pid(), lambda: self._break("the server's process ended"))

    def _break(self, reason: str) -> None:
        if not self._broken.is_set():
            self._why = reason
            self._set("down", reason, ServerUnavailableError(reason))
            self._broken.set()

    async def _ping(self) -> bool:
        try:
            await asyncio.wait_for(self._session.send_ping(), _PING_SECONDS)
        except Exception:
            return False
        return True

    async def _request(
        self, tool: str, arguments: Mapping[str, Any] | None, timeout: float | None
    ) -> dict[str, Any]:
        seconds = self._timeout if timeout is None else check_seconds(timeout) or 0.0
        lane = self._lanes[tool.startswith("memory_")]
        try:
            await asyncio.wait_for(lane.acquire(), seconds)
        except TimeoutError:
            raise ServerUnavailableError(f"{tool}: the server is busy for {seconds:g} s") from None
        try:
            if self._session is None or self._broken.is_set():
                raise ServerUnavailableError(f"Claude Flow is not up: {self.reason}")
            try:
                return await self._send(tool, arguments, seconds)
            except ToolError as error:
                if not self._ledger_failed(str(error)):
                    raise
            return await self._send(tool, arguments, seconds)
        finally:
            lane.release()

    def _ledger_failed(self, words: str) -> bool:
        """Mend the ledger if it is why a call failed, before the tool ran; whether it was."""
        lock = "policy-state-lock" in words
        if self._under_way or not (lock or "is not valid JSON" in words or "policy" in words):
            return False
        if lock:
            self.folder.drop_stale_lock()
        else:
            self.folder.turn_ledger()
        return True

    async def _send(
        self, tool: str, arguments: Mapping[str, Any] | None, seconds: float
    ) -> dict[str, Any]:
        import mcp_types
        from mcp.shared.exceptions import MCPError

        if not self._under_way:
            self.folder.drop_stale_lock()
            if self._since_turn >= _LEDGER_CALLS:
                self._since_turn = 0
                self.folder.turn_ledger()
        self._under_way += 1
        self._since_turn += 1
        request = mcp_types.CallToolRequest(
            params=mcp_types.CallToolRequestParams(name=tool, arguments=dict(arguments or {}))
        )
        session, broken = self._session, self._broken
        # Not session.call_tool: it would list all 353 tools first. And no waiting for a connection
        # that is known to be broken.
        answer = asyncio.ensure_future(session.send_request(request, mcp_types.CallToolResult))
        ending = asyncio.ensure_future(broken.wait())
        try:
            await asyncio.wait([answer, ending], timeout=seconds, return_when="FIRST_COMPLETED")
            if answer.done():
                return self._parse(tool, await answer)
        except MCPError as error:
            code = error.error.code
            if code in (mcp_types.INTERNAL_ERROR, mcp_types.METHOD_NOT_FOUND, -32602):
                self._answered = True
                raise ToolError(f"{tool}: {error.error.message}") from None
            self._break(f"the connection failed: {error.error.message}")
        except ServerUnavailableError as error:
            self._break(str(error))
            raise
        except ToolError:
            raise
        except Exception as error:
            self._break(f"the connection failed: {error!r}")
        finally:
            self._under_way -= 1
            ending.cancel()
            answer.cancel()
        if not broken.is_set():
            # Memory calls take milliseconds, so one that does not answer is a server that fails;
            # another tool may be waiting for a download.
            silent = "" if await self._ping() else ", nor to a ping"
            if silent or tool.startswith("memory_"):
                self._break(f"it hangs: no answer to {tool} within {seconds:g} s{silent}")
        if broken.is_set():
            raise ServerUnavailableError(f"{tool}: {self._why}")
        raise ServerUnavailableError(f"{tool}: no answer within {seconds:g} s")

    def _parse(self, tool: str, result: Any) -> dict[str, Any]:
        text = "".join(getattr(part, "text", "") for part in result.content)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnavailableError(f"{tool}: the answer is no JSON object: {text!r:.80}")
        self._answered = True
        return answer


class _Watch:
    """Tell when a process ends, on the running loop."""

    def __init__(self, pid: int | None, tell: Any) -> None:
        self._fd: int | None = None
        self._loop = asyncio.get_running_loop()
        if pid is None:
            return
        try:
            self._fd = os.pidfd_open(pid)
        except OSError:
            tell()
            return
        self._loop.add_reader(self._fd, self._ended, tell)

    def _ended(self, tell: Any) -> None:
        self.__exit__()
        tell()

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None


def _innermost(error: BaseException) -> str:
    error = _cause(error)
    return str(error) or repr(error)


def _cause(error: BaseException) -> Any:
    """The first error in a task group's pile."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
