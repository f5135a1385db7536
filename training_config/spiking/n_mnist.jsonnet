// HM2-BP on N-MNIST (Jin et al., 2018, table 3), 2312-800-10, 540 steps of 600 microseconds, with their settings.
(import '../common/spiking_mlp.libsonnet') + (import '../common/spiking_events.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp' } } },
}
