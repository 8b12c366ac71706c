"""What a run learned, told to Claude Flow's pattern tools."""

from __future__ import annotations

from typing import Any

from mlestar.coordination.claude_flow.client import ClaudeFlowClient
from mlestar.exceptions import ToolError

PATTERN_TYPE = "mlestar"
"""Type of our patterns among the server's."""

# The server's own list would stop at 10; it keeps 4 096 characters of the text.
_ALL = 1_000_000
_LONGEST = 4096


def tell_pattern(
    client: ClaudeFlowClient, name: str, text: str, data: dict[str, Any], *, seconds: float
) -> bool:
    """Store a pattern unless the server lists one of that name; whether it was stored.

    Parameters
    ----------
    client : ClaudeFlowClient
    name : str
        Unique for its content; up to 10 000 characters.
    text : str
        What a search by words finds it by.
    data : dict
        JSON; the server gives it back as the pattern's ``metadata``.
    seconds : float
        That each of the two calls may take: the server may be waiting for its model.

    Raises
    ------
    ServerUnavailableError
        If it is away or does not answer in time; whether the pattern is there is then found by the
        next call.
    ToolError
        If it refuses.
    """
    found = _call(client, seconds, action="list", type=PATTERN_TYPE, limit=_ALL)
    if any(row.get("name") == name for row in found.get("patterns") or []):
        return False
    _call(
        client,
        seconds,
        action="store",
        type=PATTERN_TYPE,
        name=name,
        content=text[:_LONGEST],
        data=data,
    )
    return True


def _call(client: ClaudeFlowClient, seconds: float, **arguments: Any) -> dict[str, Any]:
    answer = client.call("neural_patterns", arguments, timeout=seconds)
    if answer.get("success") is False or "error" in answer:
        raise ToolError(f"neural_patterns: {answer.get('error', answer)}")
    return answer
