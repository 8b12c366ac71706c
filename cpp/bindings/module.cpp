// The compiled module: one submodule a room.
#include <pybind11/pybind11.h>

#include "bindings/errors.hpp"
#include "bindings/rooms.hpp"
#include "support/levels.hpp"

PYBIND11_MODULE(_core, module) {
    using namespace mlestar::bindings;
    register_errors();
    mlestar::active_level();  // a level that cannot be had is an error of the import, not of a
                              // later call
    add_build_info(module);
    auto metrics = module.def_submodule("metrics");
    add_metrics_labels(metrics);
    add_metrics_classification(metrics);
    add_metrics_scoring_rules(metrics);
    add_metrics_ranking(metrics);
    add_metrics_clustering(metrics);
    add_metrics_curves(metrics);
    add_metrics_multilabel(metrics);
    add_metrics_retrieval(metrics);
    add_metrics_regression(metrics);
    add_metrics_resampling(metrics);
    add_metrics_streaming(metrics);
    add_metrics_streaming_rows(metrics);
    auto model_selection = module.def_submodule("model_selection");
    add_model_selection_splitters(model_selection);
    add_model_selection_groups(model_selection);
    add_model_selection_gather(model_selection);
    add_model_selection_stratification(model_selection);
    add_model_selection_temporal(model_selection);
    auto preprocessing = module.def_submodule("preprocessing");
    add_preprocessing_scale(preprocessing);
    add_preprocessing_quantiles(preprocessing);
    add_preprocessing_sketch(preprocessing);
    add_preprocessing_impute(preprocessing);
    add_preprocessing_encode(preprocessing);
    add_preprocessing_discretize(preprocessing);
    add_preprocessing_target(preprocessing);
    auto ensemble = module.def_submodule("ensemble");
    add_ensemble_blending(ensemble);
    add_ensemble_convex(ensemble);
    add_ensemble_greedy(ensemble);
    auto memory = module.def_submodule("memory");
    add_memory_pool(memory);
    add_memory_device(memory);
}
