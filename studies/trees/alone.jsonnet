// The semantic parser of the trial without any tree.
local common = import 'common.libsonnet';
local base = import '../../training_config/common/semantic_parser.libsonnet';

base {
  dataset_reader: common.reader(base.dataset_reader),
  validation_dataset_reader: common.reader(base.validation_dataset_reader),
  model: common.parser(base.model),
  data_loader+: { batch_sampler+: { batch_size: common.batch_size } },
  trainer+: common.trainer,
}
