// Marginals instead of a tree, in training and at test time (Kim et al., 2017).
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'structured_attention' } } },
}
