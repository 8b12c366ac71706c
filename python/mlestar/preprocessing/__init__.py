"""Preprocessing: scikit-learn's transformers, ours computed in the compiled core.

Every name of `sklearn.preprocessing` is here. What is not computed by mlestar is scikit-learn's own
object.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For type checkers, what the imports below do not define is scikit-learn's.
    from sklearn.preprocessing import *  # noqa: F403

from mlestar.preprocessing.discretize import (
    KBinsDiscretizer,
)
from mlestar.preprocessing.encode import (
    OneHotEncoder,
    OrdinalEncoder,
)
from mlestar.preprocessing.impute import (
    SimpleImputer,
)
from mlestar.preprocessing.labels import (
    LabelBinarizer,
    LabelEncoder,
)
from mlestar.preprocessing.quantile_map import (
    QuantileTransformer,
    quantile_transform,
)
from mlestar.preprocessing.quantiles import (
    RobustScaler,
    robust_scale,
)
from mlestar.preprocessing.scale import (
    MaxAbsScaler,
    MinMaxScaler,
    StandardScaler,
)
from mlestar.preprocessing.sketch import (
    QuantileSketch,
)
from mlestar.preprocessing.stateless import (
    Binarizer,
    Normalizer,
)
from mlestar.preprocessing.target import (
    TargetEncoder,
)
from mlestar.preprocessing.variance import (
    VarianceThreshold,
)

__all__ = [
    "Binarizer",
    "FunctionTransformer",
    "KBinsDiscretizer",
    "KernelCenterer",
    "LabelBinarizer",
    "LabelEncoder",
    "MaxAbsScaler",
    "MinMaxScaler",
    "MultiLabelBinarizer",
    "Normalizer",
    "OneHotEncoder",
    "OrdinalEncoder",
    "PolynomialFeatures",
    "PowerTransformer",
    "QuantileSketch",
    "QuantileTransformer",
    "RobustScaler",
    "SimpleImputer",
    "SplineTransformer",
    "StandardScaler",
    "TargetEncoder",
    "VarianceThreshold",
    "add_dummy_feature",
    "binarize",
    "label_binarize",
    "maxabs_scale",
    "minmax_scale",
    "normalize",
    "power_transform",
    "quantile_transform",
    "robust_scale",
    "scale",
]

# They pickle, and show in help, under the name that people import them by.
for _value in list(globals().values()):
    if getattr(_value, "__module__", "").startswith(f"{__name__}."):
        _value.__module__ = __name__
del _value

# The function of scikit-learn's, not the module of ours that bears its name.
globals().pop("scale", None)


def __getattr__(name: str) -> Any:
    if name in __all__:
        from sklearn import preprocessing

        return getattr(preprocessing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
