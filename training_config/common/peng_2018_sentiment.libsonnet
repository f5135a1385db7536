// The settings of the authors' code (Peng et al., 2018) for sentiment, as far as components exist for them: lemmas and parts of
// speech beside the words, which keep the vectors that GloVe has of them, one learning rate, 100 epochs, weight decay; parser and
// classifier clipped each by itself; arcs projected before their labels. It has no pruner of its own; arcs that the trained parser
// finds improbable are pruned.
local tagged = (import 'data.libsonnet').sdp.token_indexers;

{
  parser_lr:: 0.001,
  dataset_reader+: { readers+: {
    sentiment+: { token_indexers: tagged },
    semantics+: { token_indexers: tagged },
  } },
  model+: {
    encoder+: {
      text_field_embedder: { token_embedders: {
        words: $.words { type: 'frozen_known_embedding' },
        lemmas: { type: 'embedding', vocab_namespace: 'lemmas', embedding_dim: 50 },
        pos: { type: 'embedding', vocab_namespace: 'pos', embedding_dim: 50 },
      } },
      encoder+: { input_size: 400 },
    },
    min_probability: 0.0001,
  },
  trainer+: {
    num_epochs: 100,
    patience: null,
    optimizer+: { lr: 0.001, betas: [0.9, 0.999], shrinkage: 1e-6 },
  },
}
