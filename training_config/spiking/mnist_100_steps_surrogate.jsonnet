// The baseline on MNIST, 784-800-10, 100 steps: a surrogate gradient, through time.
(import '../common/spiking_100_steps.libsonnet') + {
  model+: { network+: { gradient: { type: 'surrogate', slope: 10.0 } } },
}
