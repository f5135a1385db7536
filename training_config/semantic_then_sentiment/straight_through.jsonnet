// The sentiment loss reaches the parser as if the argmax were the identity (Bengio et al., 2013).
(import '../common/semantic_then_sentiment.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'straight_through', max_step_norm: 0.01 } } },
}
