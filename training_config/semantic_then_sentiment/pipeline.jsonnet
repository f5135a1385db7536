// The baseline: the sentiment loss does not reach the parser.
(import '../common/semantic_then_sentiment.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'pipeline' } } },
}
