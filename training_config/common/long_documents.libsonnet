// AllenNLP's own text classifier on documents of 300 words, of which the first sentence says the sentiment and the last state of
// the encoder is classified. Paths: SPIGOT_SST_TRAIN, SPIGOT_SST_DEV.
(import 'attentive.libsonnet') + {
  sizes+:: { hidden_size: 100, attend_every: 10 },
  dataset_reader: {
    type: 'long_documents',
    length: 300,
    token_indexers: { words: { type: 'single_id', lowercase_tokens: true } },
  },
  train_data_path: std.extVar('SPIGOT_SST_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_SST_DEV'),
  model: {
    type: 'basic_classifier',
    text_field_embedder: { token_embedders: { words: { type: 'embedding', embedding_dim: 50 } } },
    seq2seq_encoder: $.encoder + { input_size: 50 },
    // The last state.
    seq2vec_encoder: {
      type: 'cls_pooler',
      embedding_dim: (if $.model.seq2seq_encoder.top_k == 0 then 1 else 2) * $.model.seq2seq_encoder.hidden_size,
      cls_is_last_token: true,
    },
    dropout: 0.3,
  },
  trainer+: { num_epochs: 8, validation_metric: '+accuracy' },
}
