// Spoken digits: 50 frames of 40 bands of frequency, 4 steps each. Speakers of validation and test are not those of training.
{
  dataset_reader: { type: 'spoken_digits', num_frames: 50, num_channels: 40 },
  train_data_path: std.extVar('SPIGOT_SPEECH_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_SPEECH_DEV'),
  test_data_path: std.extVar('SPIGOT_SPEECH_TEST'),
  evaluate_on_test: true,
  data_loader: { batch_size: 20, shuffle: true },
  validation_data_loader: { batch_size: 100 },
  model: {
    type: 'spiking_classifier',
    encoding: { type: 'rate', num_steps: 200, max_rate: 0.4 },
    network: {
      input_shape: [40],
      layers: [
        { type: 'fully_connected', units: 300, threshold: 10.0, weight_range: 0.7 },
        { type: 'fully_connected', units: 10, threshold: 6.0, weight_range: 0.5, inhibition: 1.0 },
      ],
      gradient: { type: 'hm2_bp' },
    },
    loss: { desired: 30, undesired: 4, margin: 4 },
  },
  trainer: (import 'spiking_trainer.libsonnet') + {
    num_epochs: 30,
    callbacks: [{ type: 'resumable' }, { type: 'last_epochs', number: 10 }],
  },
}
