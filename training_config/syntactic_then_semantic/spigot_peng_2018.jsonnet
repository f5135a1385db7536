// SPIGOT with the settings of Peng et al. (2018), for those who hold the SDP 2015 data and a treebank (LDC), as
// SPIGOT_SDP_TRAIN, SPIGOT_SDP_DEV, SPIGOT_CONLL_TRAIN, SPIGOT_CONLL_DEV, and GloVe's 100-d vectors as SPIGOT_EMBEDDINGS.
// Its pruners are trained before; see docs/peng_2018.md.
(import '../common/syntactic_then_semantic.libsonnet') + (import '../common/peng_2018.libsonnet') + {
  model+: { argmax+: { estimator: { type: 'spigot', step_size: 1.0, max_step_norm: 1.0 } } },
}
