// A syntactic parser alone, unlabelled, trained with the structured hinge: one per wrong head (Peng et al., 2018).
(import '../common/syntactic_parser.libsonnet') + {
  model+: { loss: { type: 'hinge' } },
}
