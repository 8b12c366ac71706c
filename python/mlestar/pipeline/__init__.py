"""Data pipelines: validation, transforms, caching, streaming, and the pipelines a search fits."""

from mlestar.pipeline.cache import CacheManager
from mlestar.pipeline.data_pipeline import DataPipeline, Transform
from mlestar.pipeline.drift import column_drift, stability_index
from mlestar.pipeline.findings import CHECKS, UNLEARNABLE, Finding
from mlestar.pipeline.leakage import alone, target_scores
from mlestar.pipeline.meta_features import META_FEATURES, MetaFeatures
from mlestar.pipeline.schema import Column, TableEncoder, TableSchema
from mlestar.pipeline.stream import StreamProcessor
from mlestar.pipeline.tabular import PipelineSpec, make_pipeline
from mlestar.pipeline.validation import DataValidator
from mlestar.pipeline.validation_pass import ValidationPass

__all__ = [
    "CHECKS",
    "CacheManager",
    "Column",
    "DataPipeline",
    "DataValidator",
    "Finding",
    "META_FEATURES",
    "MetaFeatures",
    "PipelineSpec",
    "StreamProcessor",
    "TableEncoder",
    "TableSchema",
    "Transform",
    "UNLEARNABLE",
    "ValidationPass",
    "alone",
    "column_drift",
    "make_pipeline",
    "stability_index",
    "target_scores",
]
