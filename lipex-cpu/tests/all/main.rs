//! The tests of lipex-cpu: one program, so that one link serves them all.

mod common;
mod fit_anchored;
mod fit_class_penalty;
mod fit_known_answer;
mod fit_lambda_auto;
mod fit_optimum;
mod fit_pairs;
mod fit_starts;
mod fit_tv;
mod golden_authors;
mod golden_kernel_shap;
mod golden_lasso;
mod golden_lime_masks;
mod golden_problem;
mod golden_sandwich;
mod golden_selection;
mod golden_tree;
mod interaction;
mod missing_stage;
mod out_of_fold;
mod perturb_laws;
mod perturb_limits;
mod perturb_weighted;
mod select_naive;
mod uncertainty;
