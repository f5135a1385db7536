// A sentence classifier that sees no graph, on the sentences of the Stanford Sentiment Treebank, two classes.
local raw_text = import 'raw_text.libsonnet';
local vectors = std.extVar('SPIGOT_SST_EMBEDDINGS');

{
  batch_size:: 32,
  words:: { type: 'embedding', vocab_namespace: 'tokens', embedding_dim: 300 } +
          (if vectors == '' then {} else { pretrained_file: vectors }),

  dataset_reader: {
    type: 'sst',
    granularity: '2-class',
    unescape: true,  // as the parser's words are
    token_indexers: raw_text.indexers,
  },
  train_data_path: std.extVar('SPIGOT_SST_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_SST_DEV'),
  datasets_for_vocab_creation: ['train'],
  data_loader: {
    batch_sampler: { type: 'bucket', batch_size: $.batch_size, sorting_keys: ['tokens'] },
  },
  validation_data_loader: { batch_size: 64 },
  model: {
    type: 'semantic_then_sentiment',
    encoder: {
      text_field_embedder: { token_embedders: {
        words: $.words,
        characters: { type: 'empty' },
      } },
      encoder: { type: 'lstm', input_size: 300, hidden_size: 150, bidirectional: true },
      embedding_dropout: 0.5,
    },
    classifier: {
      dropout: 0.2,
      feedforward: { num_layers: 1, hidden_dims: 100, activations: 'relu', dropout: 0.2 },
    },
    initializer: { regexes: [
      if vectors == '' then ['.*token_embedder_words.weight', { type: 'uniform', a: -0.1, b: 0.1 }]
      else ['.*bias_hh.*', { type: 'lstm_hidden_bias' }],
    ] },
  },
  trainer: (import 'trainer.libsonnet') + {
    num_epochs: 6,
    patience: 2,  // epochs without a better accuracy
    optimizer: { type: 'fused_adam', lr: 0.001 },
    learning_rate_scheduler: { type: 'step', step_size: 5, gamma: 0.5 },
    validation_metric: '+accuracy',
  },
}
