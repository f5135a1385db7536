// HM2-BP on MNIST, 784-800-10, 100 steps: a quarter of an hour of a core.
(import '../common/spiking_100_steps.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp', injected_spikes: 15 } } },
}
