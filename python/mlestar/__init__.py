"""The MLE-STAR foundation (Search, Test, Analyze, Refine).

Importing the package loads NumPy and the compiled core, nothing heavier; every other name loads at
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar._lazy import load_lazily
from mlestar._native import build_info, get_num_threads, set_num_threads

if TYPE_CHECKING:
    from mlestar import (
        agents,
        config,
        coordination,
        engine,
        ensemble,
        evaluation,
        exceptions,
        execution,
        feature_selection,
        impute,
        memory,
        metrics,
        model_selection,
        models,
        pipeline,
        preprocessing,
        search,
        testing,
    )
    from mlestar._patch import patch_sklearn, unpatch_sklearn
    from mlestar.agents import EnsembleAgent, EvaluationAgent, SearchAgent, TrainingAgent
    from mlestar.config import CoordinationConfig, DataConfig, EvalConfig, MLConfig
    from mlestar.engine import Run, load_run, run
    from mlestar.evaluation import (
        CrossValidator,
        MetricsCalculator,
        ModelComparator,
        ModelEvaluator,
        ReportGenerator,
    )
    from mlestar.models import (
        MLESTARModel,
        ReinforcementModel,
        SklearnModel,
        SupervisedModel,
        TrainingStage,
        UnsupervisedModel,
    )
    from mlestar.pipeline import (
        CacheManager,
        DataPipeline,
        DataValidator,
        StreamProcessor,
        Transform,
    )

__version__: str = str(build_info()["version"])

_NAMES = {
    "_patch": ["patch_sklearn", "unpatch_sklearn"],
    "agents": ["EnsembleAgent", "EvaluationAgent", "SearchAgent", "TrainingAgent"],
    "config": ["CoordinationConfig", "DataConfig", "EvalConfig", "MLConfig"],
    "coordination": [],
    "engine": ["Run", "load_run", "run"],
    "ensemble": [],
    "evaluation": [
        "CrossValidator",
        "MetricsCalculator",
        "ModelComparator",
        "ModelEvaluator",
        "ReportGenerator",
    ],
    "exceptions": [],
    "execution": [],
    "feature_selection": [],
    "impute": [],
    "memory": [],
    "metrics": [],
    "model_selection": [],
    "models": [
        "MLESTARModel",
        "ReinforcementModel",
        "SklearnModel",
        "SupervisedModel",
        "TrainingStage",
        "UnsupervisedModel",
    ],
    "pipeline": [
        "CacheManager",
        "DataPipeline",
        "DataValidator",
        "StreamProcessor",
        "Transform",
    ],
    "preprocessing": [],
    "search": [],
    "testing": [],
}

__all__ = [
    "CacheManager",
    "CoordinationConfig",
    "CrossValidator",
    "DataConfig",
    "DataPipeline",
    "DataValidator",
    "EnsembleAgent",
    "EvalConfig",
    "EvaluationAgent",
    "MLConfig",
    "MLESTARModel",
    "MetricsCalculator",
    "ModelComparator",
    "ModelEvaluator",
    "ReinforcementModel",
    "ReportGenerator",
    "Run",
    "SearchAgent",
    "SklearnModel",
    "StreamProcessor",
    "SupervisedModel",
    "TrainingAgent",
    "TrainingStage",
    "Transform",
    "UnsupervisedModel",
    "__version__",
    "agents",
    "build_info",
    "config",
    "coordination",
    "engine",
    "ensemble",
    "evaluation",
    "exceptions",
    "execution",
    "feature_selection",
    "get_num_threads",
    "impute",
    "load_run",
    "memory",
    "metrics",
    "model_selection",
    "models",
    "patch_sklearn",
    "pipeline",
    "preprocessing",
    "run",
    "search",
    "set_num_threads",
    "testing",
    "unpatch_sklearn",
]


def __getattr__(name: str) -> Any:
    return load_lazily(__name__, globals(), _NAMES, name)


def __dir__() -> list[str]:
    return __all__
