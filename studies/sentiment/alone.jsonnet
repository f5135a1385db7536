// The classifier of the trial without any graph.
local base = import '../../training_config/common/sentiment.libsonnet';

base { trainer+: { num_epochs: 6, patience: null } }
