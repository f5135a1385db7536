// A smaller spiking perceptron: half of the hidden neurons, a third of the images, fewer epochs.
(import 'spiking_100_steps.libsonnet') + {
  num_images:: 20000,
  hidden_units:: 400,
  num_last_epochs:: 3,

  data_loader+: { batch_size: 20 },
  trainer+: { num_epochs: 7 },
}
