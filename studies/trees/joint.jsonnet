// The two parsers of the trial. Where no trees are given, only a gradient through them trains the syntactic parser.
local common = import 'common.libsonnet';
local base = import '../../training_config/common/syntactic_then_semantic.libsonnet';

local tasks = if common.has_trees then ['syntax', 'semantics'] else ['semantics'];

base {
  dataset_reader+: { readers: { [task]: common.reader(base.dataset_reader.readers[task]) for task in tasks } },
  validation_dataset_reader: common.reader(base.validation_dataset_reader),
  train_data_path: { [task]: base.train_data_path[task] for task in tasks },
  data_loader+: { scheduler+: { batch_size: common.batch_size } },
  model+: {
    syntactic_parser: common.parser(base.model.syntactic_parser) + { loss: { type: 'log_likelihood' } },
    semantic_parser: common.parser(base.model.semantic_parser),
  },
  trainer+: common.trainer,
}
