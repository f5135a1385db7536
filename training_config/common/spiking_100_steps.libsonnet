// A spiking perceptron on MNIST with all images, 784-800-10, in a quarter of the paper's steps and in batches.
(import 'spiking_mlp.libsonnet') + {
  hidden_units:: 800,
  strength:: 0.3,  // of the penalty on weights
  num_last_epochs:: 5,

  data_loader: { batch_size: 10, shuffle: true },
  model+: {
    // no seed: other spikes in each epoch
    encoding: { type: 'rate', num_steps: 100, max_rate: 0.35 },
    network+: {
      layers: [
        { type: 'fully_connected', units: $.hidden_units, threshold: 8.0, weight_range: 0.5 },
        { type: 'fully_connected', units: 10, threshold: 4.0, weight_range: 0.5, inhibition: 1.0 },
      ],
    },
    regularizer: { regexes: [['weight', { type: 'exponential', strength: $.strength }]] },
    loss: { desired: 15, undesired: 2, margin: 2 },
  },
  trainer+: {
    num_epochs: 15,
    optimizer+: { lr: 0.002 },
    learning_rate_scheduler: { type: 'polynomial_decay', power: 1.0 },
    callbacks: [{ type: 'resumable' }, { type: 'boosting' }, { type: 'last_epochs', number: $.num_last_epochs }],
  },
}
