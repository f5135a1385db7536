// The semantic parser of the trial, given gold trees, in training and in tests: what trees could help at best.
local alone = import 'alone.jsonnet';

alone {
  dataset_reader+: { companion: { [alone.train_data_path]: std.extVar('TRIAL_GOLD_TREES'), '*': '.conll' } },
  validation_dataset_reader+: { companion: { '*': '.conll' } },
  model+: { arc_encoder: {}, tree: { type: 'gold' } },
}
