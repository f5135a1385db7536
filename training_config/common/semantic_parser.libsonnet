// A semantic parser alone.
local data = import 'data.libsonnet';

{
  dataset_reader: data.sdp,
  train_data_path: data.sdp_train,
  validation_data_path: data.sdp_dev,
  datasets_for_vocab_creation: ['train'],
  data_loader: data.loader,
  validation_data_loader: data.validation_loader,
  model: import 'semantic_tower.libsonnet',
  trainer: (import 'trainer.libsonnet') + { validation_metric: '+labelled_f1' },
}
