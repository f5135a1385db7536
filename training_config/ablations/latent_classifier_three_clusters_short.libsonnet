// With training_config/latent_classifier/three_clusters.jsonnet: 2,000 steps, of five times the published learning rates.
(import '../common/latent_classifier_variants.libsonnet')(import '../common/latent_classifier_three_picked.libsonnet', 5)
