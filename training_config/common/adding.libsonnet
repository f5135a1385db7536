// The adding problem, 200 numbers.
(import 'attentive.libsonnet') + {
  dataset_reader: { type: 'adding', length: 200 },
  train_data_path: std.extVar('SPIGOT_ADDING_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_ADDING_DEV'),
  model: { type: 'sequence_regressor', encoder: $.encoder + { input_size: 2 } },
  trainer+: { validation_metric: '-mean_squared_error' },
}
