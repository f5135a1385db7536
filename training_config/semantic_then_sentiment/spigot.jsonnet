// SPIGOT on semantic graphs (Peng et al., 2018). The norm cap is that of the authors' code, 5 / 32.
(import '../common/semantic_then_sentiment.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0, max_step_norm: 0.15625 } } },
}
