"""
Every patch that AllenNLP 2.10.1 needs, most on a current stack, with place, reason and end.

They look for the fault, not for a version, and leave working code alone. The startup hook runs each
patch around the import of the AllenNLP modules that the patch names. Heavy modules are imported
inside the patches: by then AllenNLP has imported them.
"""

# Functions, not modules: `from spigot_allennlp.compat import pytorch` would import spigot_allennlp
# with everything that needs AllenNLP, but the hook imports this before AllenNLP.
from spigot_allennlp.compat.archives import (
    archives_are_cached_as_safely_as_they_are_loaded,
    archives_are_loaded_as_data,
    archives_are_unpacked_safely_for_surgery,
    archives_name_classes_of_the_kind_that_is_asked_for,
    params_know_that_they_are_of_an_archive,
    weights_need_no_initial_values_in_lists_either,
    what_is_made_of_archived_params_is_restricted,
)
from spigot_allennlp.compat.checkpoints import (
    torn_checkpoints_are_passed_over,
    weights_are_written_whole,
)
from spigot_allennlp.compat.command_line import (
    commands_have_examples_and_verbose,
    evaluate_prints_a_table,
    train_says_how_to_go_on,
)
from spigot_allennlp.compat.configs import (
    a_missing_file_is_traced_to_its_variable,
    a_misspelt_key_is_named_with_its_place_and_what_was_meant,
    faults_of_a_config_are_named_with_their_line,
    variables_have_defaults,
)
from spigot_allennlp.compat.data_loaders import (
    a_model_may_refuse_what_it_is_evaluated_on,
    a_model_may_refuse_what_it_is_trained_on,
    workers_get_a_lock_of_their_context,
)
from spigot_allennlp.compat.environment import (
    allennlp_models_is_no_default_plugin,
    torchvision_may_be_missing,
)
from spigot_allennlp.compat.hugging_face import (
    gradient_checkpointing_takes_effect,
    huggingface_optimizers_have_their_bases,
    models_have_32_bits_and_can_be_initialized_again,
    push_to_hf_can_be_imported,
    tokenizers_can_be_built_and_called,
)
from spigot_allennlp.compat.installation import AllenNLPIsMissing, is_installed, require
from spigot_allennlp.compat.installed_configs import (
    configs_of_the_package_have_names,
    this_package_is_a_plugin_in_any_folder,
)
from spigot_allennlp.compat.late_imports import (
    a_missing_checklist_is_searched_once,
    activations_are_imported_when_an_activation_is_looked_up,
    clients_of_stores_are_imported_when_a_store_is_opened,
    huggingface_hub_is_imported_when_something_is_pushed,
    nltk_is_not_imported_for_a_type,
    spacy_is_imported_when_something_is_tokenized,
    statistics_are_imported_when_they_are_computed,
    tensorboard_is_imported_when_something_is_written_for_it,
    transformers_are_imported_when_one_is_loaded,
)
from spigot_allennlp.compat.patching import PATCHED, PATCHES, patch_imported_modules, with_patches
from spigot_allennlp.compat.plain_errors import (
    a_log_that_cannot_be_written_is_given_up,
    a_missing_gpu_is_named_with_the_way_out,
    plain_errors_are_printed_as_a_line,
)
from spigot_allennlp.compat.prediction import (
    a_predictor_makes_batches_of_a_window,
    lines_are_decoded_one_by_one,
    predictions_have_their_name_when_all_are_there,
)
from spigot_allennlp.compat.predictors import (
    a_predictor_is_made_that_the_reader_can_serve,
    options_of_a_predictor_are_an_object,
)
from spigot_allennlp.compat.pytorch import (
    checkpoints_may_hold_numpy_scalars,
    models_say_that_a_batch_may_leave_parameters_unused,
    reduce_on_plateau_passes_no_verbose,
    sparse_gradients_are_clipped,
)
from spigot_allennlp.compat.recovery import (
    a_run_is_recovered_by_the_config_as_it_was_given,
    a_training_that_had_ended_is_resumed_as_it_ended,
    moving_average_keeps_its_parameters,
)
from spigot_allennlp.compat.registration import (
    our_bases_join_those_of_allennlp,
    our_classes_are_registered_when_a_name_is_looked_up,
)
from spigot_allennlp.compat.run_folder import (
    a_training_has_its_folder_to_itself,
    the_lock_does_not_fill_a_folder,
)
from spigot_allennlp.compat.terminal import (
    dumps_are_in_the_log_alone,
    fairscale_is_imported_without_warnings,
    mixed_precision_has_its_new_names,
    progress_fits_in_a_line,
    the_validation_metric_is_known_to_the_progress_line,
)
from spigot_allennlp.compat.vocabulary import (
    vocabulary_keeps_its_counts,
    word_vectors_are_read_or_the_line_is_named,
    words_of_vectors_are_read_as_their_vectors_are,
)
from spigot_allennlp.compat.written_files import (
    a_config_is_written_whole,
    a_vocabulary_is_written_whole,
    an_archive_is_written_whole,
    meta_data_are_written_whole,
    metrics_are_written_whole,
)
