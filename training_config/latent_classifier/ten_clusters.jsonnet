// Ten latent clusters, otherwise as three_clusters.jsonnet; the step size and learning rate picked for them are smaller.
(import '../common/latent_classifier.libsonnet') + {
  num_clusters:: 10,
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 0.1 / 5000 } } },
  trainer+: { optimizer+: { lr: 1e-4 } },
}
