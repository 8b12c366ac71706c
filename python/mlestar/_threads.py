"""The core's thread pool, made known to threadpoolctl."""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Let `threadpool_limits` and `threadpool_info` see the pool."""
    import threadpoolctl

    class MlestarController(threadpoolctl.LibController):  # type: ignore[misc]
        user_api = "mlestar"
        internal_api = "mlestar"
        filename_prefixes = ("_core.",)
        check_symbols = ("mlestar_get_num_threads", "mlestar_set_num_threads")

        def get_num_threads(self) -> Any:
            return self.dynlib.mlestar_get_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            self.dynlib.mlestar_set_num_threads(num_threads)

        def get_version(self) -> None:
            return None

        def set_additional_attributes(self) -> None:
            """Nothing more to say."""

    threadpoolctl.register(MlestarController)
