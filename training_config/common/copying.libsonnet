// The copying problem at T = 100. Only the ten symbols at the end are scored.
(import 'attentive.libsonnet') + {
  delay:: 100,
  dataset_reader: { type: 'copying', delay: $.delay },
  train_data_path: std.extVar('SPIGOT_COPYING_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_COPYING_DEV'),
  model: {
    type: 'step_classifier',
    text_field_embedder: { token_embedders: { tokens: { type: 'one_hot' } } },
    encoder: $.encoder + { input_size: 12 },  // ten symbols, padding and unknown
  },
  trainer+: { validation_metric: '+accuracy' },
}
