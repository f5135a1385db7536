// Images, pixel by pixel in one random order; MNIST's at half its resolution, 14 by 14. SPIGOT_IMAGES_TRAIN and SPIGOT_IMAGES_DEV name
// image files; where both are the same, every eleventh image is held out for development.
local train = std.extVar('SPIGOT_IMAGES_TRAIN');
local dev = std.extVar('SPIGOT_IMAGES_DEV');
local is_synthetic = std.startsWith(train, 'synthetic:');
local part(name) = if train == dev && !is_synthetic then '#' + name else '';

(import 'attentive.libsonnet') + {
  sizes+:: { attend_every: 7 },
  dataset_reader: { type: 'pixel_sequence', downsample: if is_synthetic then 1 else 2, permutation_seed: 1 },
  train_data_path: train + part('train'),
  validation_data_path: dev + part('held_out'),
  model: { type: 'sequence_classifier', encoder: $.encoder + { input_size: 1 } },
  trainer+: { validation_metric: '+accuracy' },
}
