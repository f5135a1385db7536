// Latent trees whose arcs may cross, by SPIGOT with the projection onto the hull of these trees.
(import '../common/latent_tree_classifier.libsonnet') + {
  model+: { argmax+: {
    structure: { type: 'non_projective_tree', single_root: false },
    estimator: { type: 'spigot', step_size: 1.0, projection: 'sparsemap' },
  } },
}
