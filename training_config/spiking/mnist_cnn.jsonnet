// HM2-BP in a convolutional network on MNIST, 28x28-15C5-P2-40C5-P2-300-10, with distorted images (Jin et al., 2018).
(import '../common/spiking_mlp.libsonnet') + {
  model+: {
    network+: { input_shape: [28, 28, 1], layers: import '../common/spiking_cnn_layers.libsonnet' },
    regularizer: null,
    distortion: {},
  },
  // the log of their convolutional network has the whole rate in the first epoch alone
  trainer+: { learning_rate_scheduler+: { delay: 0 } },
}
