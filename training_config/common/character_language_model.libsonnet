// Characters from those before them, in pieces of a hundred. SPIGOT_TEXT_TRAIN and SPIGOT_TEXT_DEV name texts; where both are
// the same, its first nine tenths are trained on, the rest is for development.
local train = std.extVar('SPIGOT_TEXT_TRAIN');
local dev = std.extVar('SPIGOT_TEXT_DEV');
local reader = { type: 'character_language_model', length: 100 };

(import 'attentive.libsonnet') + {
  dataset_reader: reader + (if train == dev then { part: [0, 0.9] } else {}),
  validation_dataset_reader: reader + (if train == dev then { part: [0.9, 1] } else {}),
  train_data_path: train,
  validation_data_path: dev,
  model: {
    type: 'step_classifier',
    label_namespace: 'characters',
    text_field_embedder: { token_embedders: {
      tokens: { type: 'embedding', vocab_namespace: 'characters', embedding_dim: 32 },
    } },
    encoder: $.encoder + { input_size: 32 },
  },
  trainer+: { validation_metric: '-bits' },
}
