// What each binding file adds to the module.
#pragma once

#include <pybind11/pybind11.h>

namespace mlestar::bindings {

void add_build_info(pybind11::module_& module);
void add_metrics_labels(pybind11::module_& module);
void add_metrics_classification(pybind11::module_& module);
void add_metrics_scoring_rules(pybind11::module_& module);
void add_metrics_ranking(pybind11::module_& module);
void add_metrics_clustering(pybind11::module_& module);
void add_metrics_multilabel(pybind11::module_& module);
void add_metrics_retrieval(pybind11::module_& module);
void add_metrics_curves(pybind11::module_& module);
void add_metrics_regression(pybind11::module_& module);
void add_metrics_resampling(pybind11::module_& module);
void add_metrics_streaming(pybind11::module_& module);
void add_metrics_streaming_rows(pybind11::module_& module);
void add_model_selection_splitters(pybind11::module_& module);
void add_model_selection_groups(pybind11::module_& module);
void add_model_selection_gather(pybind11::module_& module);
void add_model_selection_stratification(pybind11::module_& module);
void add_model_selection_temporal(pybind11::module_& module);
void add_ensemble_blending(pybind11::module_& module);
void add_ensemble_convex(pybind11::module_& module);
void add_preprocessing_discretize(pybind11::module_& module);
void add_preprocessing_encode(pybind11::module_& module);
void add_preprocessing_impute(pybind11::module_& module);
void add_preprocessing_quantiles(pybind11::module_& module);
void add_preprocessing_scale(pybind11::module_& module);
void add_preprocessing_sketch(pybind11::module_& module);
void add_preprocessing_target(pybind11::module_& module);
void add_ensemble_greedy(pybind11::module_& module);
void add_memory_device(pybind11::module_& module);
void add_memory_pool(pybind11::module_& module);

}  // namespace mlestar::bindings
