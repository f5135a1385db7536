// The baseline: the semantic loss does not reach the syntactic parser.
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'pipeline' } } },
}
