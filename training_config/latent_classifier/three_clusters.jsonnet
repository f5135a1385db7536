// Three latent clusters, SPIGOT with the step size and learning rate picked by Mihaylova et al. (2020); their step size, 1, is
// applied to the gradient of the mean over 5000 points, ours to that of each.
(import '../common/latent_classifier.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0 / 5000 } } },
}
