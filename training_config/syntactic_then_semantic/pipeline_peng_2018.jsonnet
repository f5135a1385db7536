// The baseline with the settings of Peng et al. (2018): the semantic loss does not reach the syntactic parser.
(import 'spigot_peng_2018.jsonnet') + {
  model+: { argmax+: { estimator: { type: 'pipeline' } } },
}
