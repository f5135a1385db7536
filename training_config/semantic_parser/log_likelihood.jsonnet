// A semantic parser alone, trained with the conditional log-likelihood.
(import '../common/semantic_parser.libsonnet') + {
  model+: { loss: { type: 'log_likelihood' } },
}
