"""A stand-in for Claude Flow's server that can be told to fail.

Its memory is a table in the file that the real one uses. The file ``mode`` in its working folder
says how the next calls go: hang, garbage, text, full, fallback, die, or die after a tool that is
named. A damaged ledger and its lock make calls fail until they are gone.
"""

import json
import os
import sqlite3
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fake_server_records import Records

NAME, SERVER_VERSION = os.environ.get("FAKE_SERVER", "ruflo 3.0.0").split()
MODE = Path("mode")
POLICY = Path(".claude-flow/policy")


def now():
    return int(time.time() * 1e3)


def memory():
    db = sqlite3.connect(Path(os.environ["CLAUDE_FLOW_MEMORY_PATH"]) / "agentdb-memory.db")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS m (namespace, key, value, tags, at, PRIMARY KEY (namespace, key))"
    )
    return db


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def call(db, tool, a):
    where = (a.get("namespace", "default"), a.get("key"))
    if tool == "memory_store":
        text = a["value"] if isinstance(a["value"], str) else json.dumps(a["value"])
        if len(text) > 1048576:
            raise ValueError("Value exceeds maximum size of 1048576 bytes")
        with db:
            db.execute(
                "INSERT OR REPLACE INTO m VALUES (?, ?, ?, ?, ?)",
                (*where, text, json.dumps(a.get("tags", [])), now()),
            )
        return {"success": True, "stored": True}
    if tool == "memory_retrieve":
        row = db.execute(
            "SELECT value, tags, at FROM m WHERE namespace = ? AND key = ?", where
        ).fetchone()
        if row is None:
            return {"found": False, "value": None}
        value, tags, at = row
        return {"found": True, "value": parsed(value), "tags": json.loads(tags), "updatedAt": at}
    if tool == "memory_delete":
        with db:
            n = db.execute("DELETE FROM m WHERE namespace = ? AND key = ?", where).rowcount
        return {"success": n > 0, "deleted": n > 0}
    if tool == "memory_list":
        rows = db.execute(
            "SELECT key, at FROM m WHERE namespace = ? ORDER BY at DESC LIMIT ? OFFSET ?",
            (where[0], a.get("limit", 50), a.get("offset", 0)),
        ).fetchall()
        return {"entries": [{"key": k, "updatedAt": at} for k, at in rows], "total": len(rows)}
    if tool == "memory_stats":
        rows = db.execute("SELECT namespace, count(*) FROM m GROUP BY 1").fetchall()
        return {"namespaces": dict(rows)}
    if tool == "slow":
        time.sleep(a["seconds"])
        return {"success": True}
    if tool == "environment":
        return dict(os.environ)
    if tool.startswith(("swarm_", "agent_", "task_", "neural_")):
        return Records().call(tool, a)
    raise ValueError(f"no tool {tool}")


def answer(db, request):
    method = request.get("method")
    if method == "initialize":
        return {
            "protocolVersion": "2024-11-05",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": NAME, "version": SERVER_VERSION},
        }
    mode = MODE.read_text() if MODE.exists() else ""
    if mode == "hang":
        time.sleep(3600)
    if method != "tools/call":
        return {}
    if mode == "die":
        MODE.unlink()
        os._exit(1)
    if mode == "garbage":
        print("}{ this is no JSON", flush=True)
        return None
    text = "no JSON at all"
    if mode != "text":
        POLICY.mkdir(parents=True, exist_ok=True)
        ledger, lock = POLICY / "state.json", POLICY / "state.lock"
        if lock.exists():
            raise ValueError("policy-state-lock-timeout")
        if ledger.exists() and ledger.read_text().startswith("damaged"):
            raise ValueError("Unexpected token 'd', \"damaged\" is not valid JSON")
        with ledger.open("a") as file:
            file.write("call\n")
        parameters = request["params"]
        found = call(db, parameters["name"], parameters.get("arguments", {}))
        if parameters["name"] == "memory_store" and mode == "full":
            found = {"success": False, "error": "database or disk is full"}
        if parameters["name"] == "memory_store" and mode == "fallback":
            found["embeddingDimensions"] = 128
        if mode.startswith("die after ") and parameters["name"] == mode.split()[2]:
            MODE.unlink()
            os._exit(1)
        text = json.dumps(found)
    return {"content": [{"type": "text", "text": text}]}


def main():
    db = memory()
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            if request["method"] != "notifications/initialized":
                print('{"jsonrpc": "2.0", "error": {"code": -32601, "message": "?"}}', flush=True)
            continue
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            reply["result"] = answer(db, request)
        except ValueError as error:
            reply["error"] = {"code": -32603, "message": str(error)}
        if reply.get("result", 1) is not None:
            print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
