// The classifier of the trial with a parser inside.
local base = import '../../training_config/common/semantic_then_sentiment.libsonnet';

base {
  parsing_share:: 0.05,
  // Sentences with a class alone: to parse others, too, takes as long again.
  validation_dataset_reader: base.dataset_reader { readers: { sentiment: base.dataset_reader.readers.sentiment } },
  validation_data_path: { sentiment: base.validation_data_path.sentiment },
  trainer+: { num_epochs: 6, patience: null },
}
