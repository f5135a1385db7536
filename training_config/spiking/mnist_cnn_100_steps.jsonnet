// HM2-BP in a convolutional network on MNIST, in a quarter of the paper's steps and in batches: an hour of a core.
local thresholds = [2.0, 1.0, 4.0, 2.0, 4.0, 4.0];
local layers = import '../common/spiking_cnn_layers.libsonnet';

(import '../common/spiking_100_steps.libsonnet') + {
  strength:: 1.0,
  num_last_epochs:: 3,
  model+: {
    network+: { input_shape: [28, 28, 1], layers: std.mapWithIndex(function(i, layer) layer { threshold: thresholds[i] }, layers) },
    distortion: { scale: 0.06, rotation: 6, elasticity: 6.8 },  // half of the authors'
  },
  trainer+: { num_epochs: 10, optimizer+: { lr: 0.004 } },
}
