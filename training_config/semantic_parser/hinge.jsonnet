// A semantic parser alone, trained with the recall-oriented structured hinge of Peng et al. (2018).
(import '../common/semantic_parser.libsonnet') + {
  model+: { loss: { type: 'hinge', false_positive_cost: 0.4, false_negative_cost: 0.6 } },
}
