// The classifier of the trial with a parser inside.
local base = import '../../training_config/common/semantic_then_sentiment.libsonnet';

base {
  parsing_share:: 0.05,
  trainer+: { num_epochs: 8, patience: null },
}
