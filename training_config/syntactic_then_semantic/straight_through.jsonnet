// The semantic loss reaches the syntactic parser as if the argmax were the identity (Bengio et al., 2013). Without the norm cap
// the scores of the tree run away.
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'straight_through', max_step_norm: 0.01 } } },
}
