// SPIGOT with the settings of Peng et al. (2018), for those who hold the SDP 2015 data (LDC) and GloVe's 300-d vectors
// (SPIGOT_SST_EMBEDDINGS), SST tagged and lemmatised in the columns of the authors' code, and an archive of a parser
// trained with training_config/semantic_parser/log_likelihood.jsonnet: theirs was trained by a hinge, but pruned by another one,
// and the scores of a hinge are no probabilities to prune by.
(import '../common/semantic_then_sentiment.libsonnet') + (import '../common/peng_2018_sentiment.libsonnet') + {
  model+: { argmax+: { estimator: {
    type: 'spigot',
    step_size: 1.0,
    max_step_norm: 0.15625,
    projection: 'sequential',
  } } },
}
