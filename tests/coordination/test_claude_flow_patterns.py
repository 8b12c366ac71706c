"""What a run learned, told to Claude Flow's pattern tools: once, whatever the server forgets."""

import json
import time

import pytest

pytest.importorskip("mcp")

from coordination.claude_flow_servers import FAKE, real_server
from mlestar.coordination import ClaudeFlowClient
from mlestar.coordination.claude_flow.patterns import PATTERN_TYPE, tell_pattern
from mlestar.exceptions import ServerUnavailableError

DATA = {"version": 1, "trials": [{"gain": 1.0}]}


def there(client):
    return json.loads((client.folder.path / "fake-records.json").read_text())["patterns"]


def tell(client, name="binary/f00d/1", text="a table", seconds=2.0):
    return tell_pattern(client, name, text, DATA, seconds=seconds)


@pytest.fixture
def client(tmp_path):
    with ClaudeFlowClient(tmp_path, command=FAKE, backoff=(0.05, 0.2), timeout=2.0) as client:
        yield client


def test_a_pattern_is_told_once(client):
    assert tell(client)
    assert not tell(client)
    assert tell(client, "binary/f00d/2", "long " * 5000)
    first, second = there(client)
    assert (first["type"], first["metadata"]) == (PATTERN_TYPE, DATA)
    assert len(second["content"]) == 4096
    for number in range(12):  # more than the server lists by itself
        tell(client, f"more/{number}")
    assert not tell(client)
    assert len(there(client)) == 14


def test_a_server_that_dies_before_it_answers_is_not_told_twice(client):
    (client.folder.scratch / "mode").write_text("die after neural_patterns")
    with pytest.raises(ServerUnavailableError):
        tell(client)
    end = time.monotonic() + 10
    while client.starts < 2 or client.state != "up":
        assert time.monotonic() < end, client.reason
        time.sleep(0.02)
    tell(client)
    assert len(there(client)) == 1


def test_a_server_that_waits_for_its_model_does_not_keep_us(client):
    (client.folder.scratch / "mode").write_text("hang")
    begin = time.monotonic()
    with pytest.raises(ServerUnavailableError):
        tell(client, seconds=0.2)
    assert time.monotonic() - begin < 5


def test_the_real_server_gives_the_pattern_back(tmp_path):
    with ClaudeFlowClient(tmp_path, command=real_server()) as client:
        assert tell(client, text="binary table toy, lightgbm", seconds=20.0)
        assert not tell(client, seconds=20.0)
        listed = client.call("neural_patterns", {"action": "list", "type": PATTERN_TYPE})
        (row,) = listed["patterns"]
        assert row["name"] == "binary/f00d/1"
        found = client.call("neural_patterns", {"action": "get", "patternId": row["id"]})
        assert found["pattern"]["metadata"] == DATA
