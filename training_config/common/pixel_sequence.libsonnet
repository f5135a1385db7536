// Images, pixel by pixel in one random order (a permutation_seed of null: row by row); MNIST's have 784 pixels. SPIGOT_IMAGES_TRAIN and
// SPIGOT_IMAGES_DEV name image files; where both are the same, every eleventh image is held out for development. The learning rates were
// chosen for each by trials on permuted pixels: docs/results/sparse_attentive.md.
local train = std.extVar('SPIGOT_IMAGES_TRAIN');
local dev = std.extVar('SPIGOT_IMAGES_DEV');
local is_synthetic = std.startsWith(train, 'synthetic:');
local part(name) = if train == dev && !is_synthetic then '#' + name else '';
local rate(encoder) = if encoder.top_k != 0 then 0.015 else if encoder.truncation == null then 0.03 else 0.06;

(import 'attentive.libsonnet') + {
  sizes+:: { attend_every: 14 },
  dataset_reader: { type: 'pixel_sequence', permutation_seed: 1 },
  train_data_path: train + part('train'),
  validation_data_path: dev + part('held_out'),
  model: { type: 'sequence_classifier', encoder: $.encoder + { input_size: 1 } },
  data_loader+: { batch_size: 32 },
  trainer+: {
    num_epochs: 5,
    validation_metric: '+accuracy',
    optimizer+: { lr: rate($.encoder) },
    learning_rate_scheduler+: { warmup_steps: 100 },
  },
}
