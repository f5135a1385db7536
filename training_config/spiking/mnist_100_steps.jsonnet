// HM2-BP on MNIST, 784-800-10, 100 steps: about an hour on a CPU.
(import '../common/spiking_100_steps.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp', injected_spikes: 15 } } },
}
