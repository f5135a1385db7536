// SPIGOT on projective trees, relaxed to one head per token (Peng et al., 2018). With their norm cap of 1 the
// scores of the tree run away under our optimizer, since here nothing else scales the semantic gradient down.
(import '../common/syntactic_then_semantic.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0, max_step_norm: 0.1 } } },
}
