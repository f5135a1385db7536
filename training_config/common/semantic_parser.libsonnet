// A semantic parser alone.
local data = import 'data.libsonnet';
local families = import 'families.libsonnet';

{
  dataset_reader: data.sdp + families.all + families.graphs($.model),
  validation_dataset_reader: families.whole($.dataset_reader),
  train_data_path: data.sdp_train,
  validation_data_path: data.sdp_dev,
  datasets_for_vocab_creation: ['train'],
  data_loader: data.loader,
  validation_data_loader: data.validation_loader,
  model: import 'semantic_parser_model.libsonnet',
  trainer: (import 'trainer.libsonnet') + { validation_metric: '+labelled_f1' },
}
