// A spiking perceptron on MNIST, with the settings of Jin et al. (2018): 784-800-10, 400 steps, image by image.
(import 'spiking_digits.libsonnet') + {
  data_loader: { batch_size: 1, shuffle: true },
  model: {
    type: 'spiking_classifier',
    encoding: { type: 'rate', num_steps: 400, seed: 1 },
    network: {
      input_shape: [784],
      layers: [
        { type: 'fully_connected', units: 800, threshold: 20.0, weight_range: 1.0 },
        { type: 'fully_connected', units: 10, threshold: 8.0, weight_range: 1.0, inhibition: 1.0 },
      ],
      gradient: { type: 'hm2_bp' },
    },
    loss: { desired: 35, undesired: 5, margin: 5 },
    boosting: { num_samples: 60000 },
    regularizer: { regexes: [['weight', { type: 'exponential', strength: 10.0, rate: 0.04, limit: 8.0 }]] },
  },
  trainer: import 'spiking_trainer.libsonnet',
}
