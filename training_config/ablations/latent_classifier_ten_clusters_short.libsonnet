// With training_config/latent_classifier/ten_clusters.jsonnet: 2,000 steps, of five times the published learning rates.
(import '../common/latent_classifier_variants.libsonnet')(import '../common/latent_classifier_ten_picked.libsonnet', 5)
