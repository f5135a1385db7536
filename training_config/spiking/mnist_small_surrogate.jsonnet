// The baseline on 20,000 images of MNIST, 784-400-10, 100 steps: a surrogate gradient, through time.
(import '../common/spiking_small.libsonnet') + {
  model+: { network+: { gradient: { type: 'surrogate', slope: 1.0 } } },
}
