"""The fake server's swarms, agents and tasks: as forgetful and as obliging as the real one's."""

import json
import os
from pathlib import Path

RUNNING = "running"


class Records:
    """What the real server keeps in JSON files of the data folder."""

    def __init__(self):
        self.path = Path(os.environ["CLAUDE_FLOW_CWD"]) / "fake-records.json"
        self.data = {"swarms": {}, "agents": {}, "tasks": {}, "calls": {}, "patterns": []}
        if self.path.exists():
            self.data = json.loads(self.path.read_text())

    def call(self, tool, a):
        self.data["calls"][tool] = self.data["calls"].get(tool, 0) + 1
        found = getattr(self, tool)(**a)
        self.path.write_text(json.dumps(self.data))
        return found

    def swarm_init(self, topology, maxAgents, strategy):
        id_ = f"swarm-{len(self.data['swarms'])}"
        config = {"topology": topology, "strategy": strategy}
        self.data["swarms"][id_] = {"swarmId": id_, "status": RUNNING, "config": config}
        return {"success": True, "swarmId": id_}

    def _swarm(self, id_):
        """Asked for what is not there, it takes the newest."""
        swarms = self.data["swarms"]
        return swarms.get(id_) or (list(swarms.values()) or [None])[-1]

    def swarm_status(self, swarmId=None):
        return self._swarm(swarmId) or {"status": "no_swarm"}

    def swarm_health(self, swarmId):
        there = swarmId in self.data["swarms"]
        return {"status": "healthy" if there else "not_found"}

    def swarm_shutdown(self, swarmId, graceful):
        found = self._swarm(swarmId)
        found["status"] = "terminated"
        return {"success": True, "swarmId": found["swarmId"]}

    def agent_spawn(self, agentId, agentType, **rest):
        self.data["agents"][agentId] = {
            "agentId": agentId,
            "agentType": agentType,
            "status": "idle",
            "health": 1,
        }
        return {"success": True, "agentId": agentId}

    def agent_list(self, includeTerminated):
        return {"agents": list(self.data["agents"].values())}

    def agent_update(self, agentId, **values):
        self.data["agents"][agentId] |= values
        return {"success": True}

    def task_create(self, type, description, tags):
        id_ = f"task-{len(self.data['tasks'])}"
        task = {
            "taskId": id_,
            "type": type,
            "description": description,
            "status": "pending",
            "progress": 0,
            "assignedTo": [],
            "tags": tags,
        }
        self.data["tasks"][id_] = task
        return task

    def task_list(self, limit=50):
        return {"tasks": list(self.data["tasks"].values())[:limit]}

    def _task(self, id_):
        return self.data["tasks"].get(id_)

    def task_assign(self, taskId, agentIds):
        if self._task(taskId) is None:
            return {"taskId": taskId, "error": "Task not found"}
        self._task(taskId).update(assignedTo=agentIds, status="in_progress")
        return {"taskId": taskId}

    def task_update(self, taskId, **values):
        if self._task(taskId) is None:
            return {"success": False, "error": "Task not found"}
        self._task(taskId).update(values)
        return {"success": True}

    def task_complete(self, taskId, result):
        if self._task(taskId) is None:
            return {"status": "not_found", "error": "Task not found"}
        task = self._task(taskId)
        task.update(status="completed", progress=100, result=result, times=task.get("times", 0) + 1)
        return {"taskId": taskId, "status": "completed"}

    def neural_patterns(self, action, type=None, limit=10, name=None, content=None, data=None):
        known = self.data["patterns"]
        if action == "store":
            known.append({"name": name, "type": type, "content": content, "metadata": data})
            return {"success": True, "patternId": f"pattern-{len(known)}", "name": name}
        found = [{"name": p["name"], "type": p["type"]} for p in known if p["type"] == type]
        return {"patterns": found[:limit], "total": len(known)}

    def task_cancel(self, taskId, reason):
        self._task(taskId).update(status="cancelled", result={"cancelReason": reason})
        return {"success": True}
