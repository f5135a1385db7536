// Marginals instead of a graph, in training and at test time (Kim et al., 2017).
(import '../common/semantic_then_sentiment.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'structured_attention' } } },
}
