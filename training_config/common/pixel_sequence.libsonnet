// Images, pixel by pixel in one random order; MNIST's at half its resolution, 14 by 14. Paths: SPIGOT_IMAGES_TRAIN, SPIGOT_IMAGES_DEV.
local train = std.extVar('SPIGOT_IMAGES_TRAIN');

(import 'attentive.libsonnet') + {
  sizes+:: { attend_every: 7 },
  dataset_reader: {
    type: 'pixel_sequence',
    downsample: if std.startsWith(train, 'synthetic:') then 1 else 2,
    permutation_seed: 1,
  },
  train_data_path: train,
  validation_data_path: std.extVar('SPIGOT_IMAGES_DEV'),
  model: { type: 'sequence_classifier', encoder: $.encoder + { input_size: 1 } },
  trainer+: { validation_metric: '+accuracy' },
}
