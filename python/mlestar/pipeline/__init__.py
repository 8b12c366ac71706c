"""Data pipelines: validation, transforms, caching, streaming, and the pipelines a search fits."""

from mlestar.pipeline.cache import CacheManager
from mlestar.pipeline.data_pipeline import DataPipeline, Transform
from mlestar.pipeline.meta_features import META_FEATURES, MetaFeatures
from mlestar.pipeline.schema import TableSchema
from mlestar.pipeline.stream import StreamProcessor
from mlestar.pipeline.tabular import PipelineSpec, make_pipeline
from mlestar.pipeline.validation import DataValidator, Finding

__all__ = [
    "CacheManager",
    "DataPipeline",
    "DataValidator",
    "Finding",
    "META_FEATURES",
    "MetaFeatures",
    "PipelineSpec",
    "StreamProcessor",
    "TableSchema",
    "Transform",
    "make_pipeline",
]
