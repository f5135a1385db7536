// SPIGOT on projective trees, relaxed to one head per token (Peng et al., 2018). The norm cap is that of the authors' code.
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0, max_step_norm: 1.0 } } },
}
