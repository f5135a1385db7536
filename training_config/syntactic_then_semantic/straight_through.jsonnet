// The semantic loss reaches the syntactic parser as if the argmax were the identity (Bengio et al., 2013).
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'straight_through' } } },
}
