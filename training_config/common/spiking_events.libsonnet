// N-MNIST instead of MNIST, in the network of Jin et al. (2018).
local train = std.extVar('SPIGOT_N_MNIST_TRAIN');

{
  dataset_reader: { type: 'n_mnist' },
  train_data_path: train + '#train',
  validation_data_path: train + '#held_out',
  test_data_path: std.extVar('SPIGOT_N_MNIST_TEST'),
  model+: {
    encoding: { type: 'events', num_steps: 540, step_width: 600, num_inputs: 2312 },
    network+: { input_shape: [2312], layers: [
      { type: 'fully_connected', units: 800, threshold: 15.0, weight_range: 1.0 },
      { type: 'fully_connected', units: 10, threshold: 15.0, weight_range: 1.0, inhibition: 1.0 },
    ] },
    regularizer: { regexes: [['weight', { type: 'exponential', strength: 10.0, rate: 0.01, limit: 8.0 }]] },
  },
}
