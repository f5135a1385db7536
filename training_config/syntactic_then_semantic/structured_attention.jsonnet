// Marginals instead of a tree, in training and at test time (Kim et al., 2017). So the trees are trained by their likelihood:
// a hinge leaves open how large scores are, and with them how sharp the marginals.
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { syntactic_parser+: { loss: { type: 'log_likelihood' } }, argmax+: { estimator: { type: 'structured_attention' } } },
}
