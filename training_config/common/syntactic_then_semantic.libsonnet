// A syntactic parser inside a semantic one, trained jointly on a treebank of trees and one of graphs.
local data = import 'data.libsonnet';
local families = import 'families.libsonnet';

{
  local trees = families.trees($.model.syntactic_parser),
  dataset_reader: { type: 'multitask', readers: {
    syntax: data.conll + trees,
    // Trees stand in augmented files alone. Where there are any, they train the syntactic parser, too.
    semantics: data.sdp + trees + families.graphs($.model.semantic_parser),
  } },
  // The trees of other files than the development one are looked for beside them.
  validation_dataset_reader: data.sdp + families.all + { companion: { [data.sdp_dev]: data.conll_dev, '*': '.conll' } },
  train_data_path: { syntax: data.conll_train, semantics: data.sdp_train },
  validation_data_path: data.sdp_dev,
  datasets_for_vocab_creation: ['train'],
  data_loader: { type: 'multitask', scheduler: { type: 'proportional', batch_size: data.batch_size } },
  validation_data_loader: data.validation_loader,
  model: {
    type: 'syntactic_then_semantic',
    syntactic_parser: import 'syntactic_parser_model.libsonnet',
    semantic_parser: (import 'semantic_parser_model.libsonnet') + { arc_encoder: {} },
    argmax: { structure: { type: 'projective_tree' }, estimator: { type: 'spigot', max_step_norm: 0.1 } },
  },
  trainer: (import 'trainer.libsonnet') + {
    type: 'group_clipping',  // each parser by itself: the gradient of one must not scale down that of the other
    // In distributed training the names of parameters begin with "module.".
    optimizer+: { parameter_groups: [
      [['^(module\\.)?syntactic_parser\\.'], { name: 'syntactic_parser' }],
      [['^(module\\.)?semantic_parser\\.'], { name: 'semantic_parser' }],
    ] },
    validation_metric: '+labelled_f1',
    callbacks+: [{ type: 'divergence' }],
  },
}
