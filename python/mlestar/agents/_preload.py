"""What fits import, loaded once in the process that workers are forked from."""

import lightgbm  # noqa: F401
import pandas  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.compose  # noqa: F401
import sklearn.ensemble  # noqa: F401
import sklearn.impute  # noqa: F401
import sklearn.linear_model  # noqa: F401
import sklearn.neighbors  # noqa: F401
import sklearn.neural_network  # noqa: F401
import sklearn.pipeline  # noqa: F401
import sklearn.preprocessing  # noqa: F401
import skops.io  # noqa: F401
import threadpoolctl  # noqa: F401

import mlestar.agents.fitting
import mlestar.metrics  # noqa: F401
