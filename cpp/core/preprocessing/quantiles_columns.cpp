#include "preprocessing/quantiles_columns.hpp"
