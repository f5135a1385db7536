// The copying problem at T = 100. Only the ten symbols at the end are scored.
//
// Windows of 8 steps, so that the marker and the first step to answer are in the same one: counted from 0, they begin at multiples of 8,
// and the answers at T + 10. With windows of 5, which end at each of these, nothing teaches a step that the marker has just passed.
(import 'attentive.libsonnet') + {
  delay:: 100,
  sizes+:: { attend_every: 4, longest_memory: null },
  dataset_reader: { type: 'copying', delay: $.delay },
  train_data_path: std.extVar('SPIGOT_COPYING_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_COPYING_DEV'),
  model: {
    type: 'step_classifier',
    text_field_embedder: { token_embedders: { tokens: { type: 'one_hot' } } },
    encoder: $.encoder + { input_size: 12 },  // ten symbols, padding and unknown
  },
  trainer+: {
    num_epochs: 6,
    optimizer+: { lr: 0.003 },
    validation_metric: '+accuracy',
  },
}
