// HM2-BP on MNIST as events, which a simulated camera reports, 2312-800-10, 540 steps, 20,000 images: ten minutes of a core.
local train = std.extVar('SPIGOT_MNIST_TRAIN');

(import 'n_mnist.jsonnet') + {
  train_data_path: train + '#train:20000',
  validation_data_path: train + '#held_out',
  test_data_path: std.extVar('SPIGOT_MNIST_TEST'),
  data_loader+: { batch_size: 10 },
  model+: {
    network+: { layers: [super.layers[0] { threshold: 2.0, weight_range: 0.5 }, super.layers[1] { threshold: 4.0, weight_range: 0.5 }] },
    regularizer: { regexes: [['weight', { type: 'exponential', strength: 1.0 }]] },
  },
  trainer: ((import '../common/spiking_100_steps.libsonnet') { num_last_epochs:: 1 }).trainer { num_epochs: 3, optimizer+: { lr: 0.005 } },
}
