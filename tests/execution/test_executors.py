import os
import time

import pytest

pytest.importorskip("pebble")

from mlestar.execution import ProcessExecutor, ResourceManager, SerialExecutor
from mlestar.testing import ExecutorContract


class TestSerial(ExecutorContract):
    def make(self):
        return SerialExecutor()


class TestProcesses(ExecutorContract):
    def make(self):
        return ProcessExecutor(2)


def die(code):
    os._exit(code)


def test_a_worker_that_dies_is_replaced():
    with ProcessExecutor(1) as executor:
        outcome = executor.submit(die, 9).outcome()
        assert outcome.status == "died"
        assert "exit code 9" in outcome.error
        assert executor.submit(divmod, 7, 2).outcome().value == (3, 1)


def test_one_task_is_stopped_and_the_others_are_not():
    with ProcessExecutor(2) as executor:
        slow = executor.submit(time.sleep, 60)
        other = executor.submit(time.sleep, 0.5)
        time.sleep(0.2)
        slow.cancel()
        assert slow.outcome().status == "cancelled"
        assert other.outcome().status == "done"


def test_a_timeout_is_kept():
    with ProcessExecutor(1) as executor:
        begin = time.monotonic()
        assert executor.submit(time.sleep, 60, timeout=0.5).outcome().status == "timeout"
        assert time.monotonic() - begin < 10


def test_workers_of_a_machine():
    from mlestar import _core

    machine = ResourceManager.detect()
    assert machine.memory_bytes == _core.memory.room()[0] > _core.memory.room()[1] > 0
    assert ResourceManager(8, 1).workers(3) == 2
    assert ResourceManager(1, 1).workers(4) == 1
    with pytest.raises(ValueError, match="workers is 0"):
        ProcessExecutor(0)
