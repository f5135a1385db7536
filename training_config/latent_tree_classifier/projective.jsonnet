// Latent projective trees by SPIGOT, projected onto the hull of the trees itself (Mihaylova et al., 2020).
(import '../common/latent_tree_classifier.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0, projection: 'sparsemap' } } },
}
