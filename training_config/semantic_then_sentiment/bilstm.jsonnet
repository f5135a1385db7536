// The baseline: a classifier that sees no graph.
(import '../common/sentiment.libsonnet')
