// Characters from those before them. A text is read as 32 streams in pieces of a hundred; a batch has the next piece of each, and
// begins with the states and the memories of the last hundred steps that the batch before has left. SPIGOT_TEXT_TRAIN and
// SPIGOT_TEXT_DEV name texts; where both are the same, its first nine tenths are trained on, the next twentieth is for development, and
// the last is left to test on: allennlp evaluate MODEL TEXT -o '{"validation_dataset_reader.part": [0.95, 1]}'.
local train = std.extVar('SPIGOT_TEXT_TRAIN');
local dev = std.extVar('SPIGOT_TEXT_DEV');
local num_streams = 32;
local reader = { type: 'character_language_model', length: 100, num_streams: num_streams };

(import 'attentive.libsonnet') + {
  sizes+:: { hidden_size: 384, stateful: true, max_carried: std.floor(100 / $.encoder.attend_every) },
  dataset_reader: reader + (if train == dev then { part: [0, 0.9] } else {}),
  validation_dataset_reader: reader + (if train == dev then { part: [0.9, 0.95] } else {}),
  train_data_path: train,
  validation_data_path: dev,
  data_loader: { batch_size: num_streams },
  validation_data_loader: { batch_size: num_streams },
  model: {
    type: 'step_classifier',
    label_namespace: 'characters',
    text_field_embedder: { token_embedders: {
      tokens: { type: 'embedding', vocab_namespace: 'characters', embedding_dim: 64 },
    } },
    encoder: $.encoder + { input_size: 64 },
    dropout: 0.3,
  },
  trainer+: { num_epochs: 12, validation_metric: '-bits', optimizer+: { lr: 0.008 } },
}
