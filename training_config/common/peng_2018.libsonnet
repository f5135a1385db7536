// The settings of the authors' code (Peng et al., 2018), as far as components exist for them: sentence by sentence, structured
// hinges, two-layer perceptrons, roles that a predicate has once, Adam halved every ten epochs, each parser's gradient clipped by
// itself. Not here: pruning, and AD3's approximate decoding.
{
  data_loader+: { scheduler+: { batch_size: 1 } },
  model+: {
    syntactic_parser+: {
      encoder+: { embedding_dropout: 0.0, dropout: 0.0 },
      arc_scorer: { type: 'mlp', hidden_dim: 100 },
    },
    semantic_parser+: {
      encoder+: { embedding_dropout: 0.0, dropout: 0.0 },
      arc_scorer: { type: 'mlp', hidden_dim: 100 },
      label_scorer: { type: 'mlp', hidden_dim: 100 },
      // The authors take all roles that no predicate of the training data has twice; of DM these are the frequent ones.
      structure+: { deterministic_roles: ['ARG1', 'ARG2', 'BV'] },
      loss: { type: 'hinge', false_positive_cost: 0.4, false_negative_cost: 0.6 },
    },
  },
  trainer+: {
    num_epochs: 100,
    grad_norm: 1.0,
    // DyNet shrinks the parameters by 1e-6 of themselves in each step.
    optimizer+: { lr: 0.001, betas: [0.9, 0.999], decoupled_weight_decay: true, weight_decay: 1e-3 },
    learning_rate_scheduler: { type: 'step', step_size: 10, gamma: 0.5 },
  },
}
