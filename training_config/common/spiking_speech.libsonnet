// Spoken digits: 50 frames, 2 steps each, of 40 bands of frequency: what rises, and what falls. Speakers of validation and test are not those of training.
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
    encoding: { type: 'rate', num_steps: 100, max_rate: 0.5 },
    network: {
      input_shape: [80],
      layers: [
        { type: 'fully_connected', units: 300, threshold: 5.0, weight_range: 0.7 },
        { type: 'fully_connected', units: 10, threshold: 3.0, weight_range: 0.5, inhibition: 1.0 },
      ],
      gradient: { type: 'hm2_bp' },
    },
    loss: { desired: 12, undesired: 2, margin: 2 },
  },
  trainer: (import 'spiking_trainer.libsonnet') + {
    num_epochs: 15,
    optimizer: { type: 'fused_adam', lr: 0.004 },
    callbacks: [{ type: 'resumable' }, { type: 'last_epochs', number: 4 }],
  },
}
