// A smaller spiking perceptron: a quarter of the time, half of the hidden neurons, a third of the images, in batches.
local mlp = import 'spiking_mlp.libsonnet';

mlp + {
  num_images:: 20000,
  data_loader: { batch_size: 20, shuffle: true },
  model+: {
    encoding: { type: 'rate', num_steps: 100, max_rate: 0.35 },
    network+: {
      layers: [
        { type: 'fully_connected', units: 400, threshold: 8.0, weight_range: 0.5 },
        { type: 'fully_connected', units: 10, threshold: 4.0, weight_range: 0.5, inhibition: 1.0 },
      ],
    },
    regularizer: { regexes: [['weight', { type: 'exponential', strength: 0.3 }]] },
    loss: { desired: 15, undesired: 2, margin: 2 },
  },
  trainer+: {
    num_epochs: 7,
    optimizer+: { lr: 0.002 },
    learning_rate_scheduler: { type: 'polynomial_decay', power: 1.0 },
    callbacks: [{ type: 'resumable' }, { type: 'boosting' }, { type: 'last_epochs', number: 3 }],
  },
}
