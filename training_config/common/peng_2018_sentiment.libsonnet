// The settings of the authors' code (Peng et al., 2018) for sentiment, as far as components exist for them: lemmas and parts of
// speech beside the words, one learning rate, 100 epochs, weight decay. Not here: vectors frozen for those words alone that
// GloVe knows, and a pruner of its own: what the parser itself, as it came, finds improbable is pruned.
local tagged = (import 'data.libsonnet').sdp.token_indexers;

{
  dataset_reader+: { readers+: {
    sentiment+: { token_indexers: tagged },
    semantics+: { token_indexers: tagged },
  } },
  model+: {
    encoder+: {
      text_field_embedder: { token_embedders: {
        words: $.words,
        lemmas: { type: 'embedding', vocab_namespace: 'lemmas', embedding_dim: 50 },
        pos: { type: 'embedding', vocab_namespace: 'pos', embedding_dim: 50 },
      } },
      encoder+: { input_size: 400 },
    },
    min_probability: 0.0001,
  },
  trainer+: { num_epochs: 100, patience: null, optimizer: { type: 'fused_adam', lr: 0.001, weight_decay: 1e-6 } },
}
