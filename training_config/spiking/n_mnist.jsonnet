// HM2-BP on N-MNIST, 2312-800-10, 540 steps of 600 microseconds, with the settings of the code released with Jin et al. (2018).
(import '../common/spiking_mlp.libsonnet') + (import '../common/spiking_events.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp' } } },
}
