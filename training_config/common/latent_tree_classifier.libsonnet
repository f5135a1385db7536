// A latent tree over the sentence, trained by the classifier's loss alone. Sizes and optimiser of Mihaylova et al. (2020), but
// six epochs, not fifty; their vectors (GloVe 840B, 300-d, not trained) come by SPIGOT_SST_EMBEDDINGS.
local sentiment = import 'sentiment.libsonnet';

sentiment + {
  batch_size:: 8,
  model: sentiment.model + {
    type: 'latent_tree_classifier',
    encoder+: {
      text_field_embedder+: { token_embedders+: {
        words+: { trainable: std.extVar('SPIGOT_SST_EMBEDDINGS') == '' },
      } },
      encoder+: { hidden_size: 50 },
      embedding_dropout: 0.0,
    },
    arc_scorer: { type: 'mlp', hidden_dim: 100 },
    argmax: { structure: { type: 'projective_tree', single_root: false }, estimator: { type: 'spigot' } },
    graph_encoder: { output_dim: 100 },
  },
  trainer+: { optimizer: { type: 'adamw', lr: 0.001, weight_decay: 1e-4 } },
}
