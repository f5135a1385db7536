// A small parser by whose posteriors a large one is pruned, with the sizes of the authors' code (Peng et al., 2018).
function(num_epochs) {
  model+: {
    encoder+: {
      text_field_embedder+: { token_embedders+: {
        words: { type: 'embedding', vocab_namespace: 'tokens', embedding_dim: 32 },
        lemmas+: { embedding_dim: 16 },
        pos+: { embedding_dim: 16 },
      } },
      encoder+: { input_size: 64, hidden_size: 32, num_layers: 1 },
      embedding_dropout: 0.0,
      dropout: 0.0,
    },
    arc_scorer: { type: 'mlp', hidden_dim: 32 },
    loss: { type: 'log_likelihood' },
  },
  trainer+: { num_epochs: num_epochs, optimizer+: { lr: 0.001, betas: [0.9, 0.999] } },
}
