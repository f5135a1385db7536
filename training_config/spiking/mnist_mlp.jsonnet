// HM2-BP on MNIST (Jin et al., 2018, table 2: 98.8 %), with their settings. 200 epochs; on a CPU, take fewer.
(import '../common/spiking_mlp.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp' } } },
}
