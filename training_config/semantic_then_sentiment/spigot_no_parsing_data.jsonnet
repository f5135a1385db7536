// SPIGOT, and no parsing data in joint training: the parser is left to the sentiment loss.
(import '../common/semantic_then_sentiment.libsonnet') + {
  parsing_share:: 0.0,
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0, max_step_norm: 0.15625 } } },
}
