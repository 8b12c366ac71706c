"""What fits import, loaded once in the process that workers are forked from."""

import lightgbm  # noqa: F401
import pandas  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.compose
import sklearn.ensemble
import sklearn.impute
import sklearn.linear_model
import sklearn.neighbors
import sklearn.neural_network
import sklearn.pipeline
import sklearn.preprocessing  # noqa: F401
import skops.io  # noqa: F401
import threadpoolctl  # noqa: F401

import mlestar.agents.fitting
import mlestar.metrics
import mlestar.model_selection  # noqa: F401
