// With training_config/latent_classifier/ten_clusters.jsonnet: the published 10,000 steps.
(import '../common/latent_classifier_variants.libsonnet')(import '../common/latent_classifier_ten_picked.libsonnet')
