// HM2-BP on 20,000 images of MNIST, 784-400-10, 100 steps: some minutes on a CPU.
(import '../common/spiking_small.libsonnet') + {
  model+: { network+: { gradient: { type: 'hm2_bp', injected_spikes: 15 } } },
}
