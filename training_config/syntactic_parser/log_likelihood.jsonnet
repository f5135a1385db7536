// A syntactic parser alone, with relations, trained as a conditional random field over projective trees.
(import '../common/syntactic_parser.libsonnet') + {
  model+: {
    loss: { type: 'log_likelihood' },
    relation_scorer: { type: 'biaffine', hidden_dim: 100, dropout: 0.33 },
  },
}
