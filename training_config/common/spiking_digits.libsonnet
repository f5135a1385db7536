// MNIST as spikes. Every eleventh training image is held out, and selects the epoch; the test images are looked at once.
local train = std.extVar('SPIGOT_MNIST_TRAIN');

{
  num_images:: null,  // to train on, of those that are not held out; all, if null

  dataset_reader: { type: 'mnist' },
  train_data_path: train + '#train' + (if $.num_images == null then '' else ':%d' % $.num_images),
  validation_data_path: train + '#held_out',
  test_data_path: std.extVar('SPIGOT_MNIST_TEST'),
  evaluate_on_test: true,
  validation_data_loader: { batch_size: 100 },
}
