// The sentence classifier with a semantic parser inside, which was trained before: its archive is SPIGOT_ARCHIVE. Each epoch
// a fresh share of the parser's own data keeps it a parser.
local sentiment = import 'sentiment.libsonnet';
local data = import 'data.libsonnet';
local families = import 'families.libsonnet';
local archive = std.extVar('SPIGOT_ARCHIVE');

assert archive != '' :
  'Train a semantic parser first (training_config/semantic_parser/raw_text.jsonnet), and set SPIGOT_ARCHIVE to its model.tar.gz.';

sentiment + {
  parsing_share:: 0.2,
  parser_lr:: 0.0001,

  dataset_reader: { type: 'multitask', readers: {
    sentiment: sentiment.dataset_reader,
    semantics: data.sdp + families.all + { token_indexers: $.dataset_reader.readers.sentiment.token_indexers },
  } },
  train_data_path: { sentiment: sentiment.train_data_path, semantics: data.sdp_train },
  validation_data_path: { sentiment: sentiment.validation_data_path, semantics: data.sdp_dev },
  vocabulary: { type: 'extend', directory: archive + '!vocabulary' },
  data_loader: { type: 'multitask', scheduler: {
    type: 'proportional',
    batch_size: $.batch_size,
    shares: { semantics: $.parsing_share },
  } },
  validation_data_loader: {
    type: 'multitask',
    scheduler: { type: 'homogeneous_roundrobin', batch_size: 64 },
    shuffle: false,
  },
  model+: {
    parser: { type: 'pretrained', archive_file: archive },
    argmax: { structure: { type: 'semantic_graph' }, estimator: { type: 'spigot', max_step_norm: 0.15625 } },
    graph_encoder: { output_dim: 100, label_dim: 100 },
    min_probability: 0.01,
  },
  trainer+: {
    type: 'group_clipping',  // the parser and the rest each by itself
    // The parser has learned its task; at the classifier's rate it would forget it.
    // (In distributed training the names of parameters begin with "module.".)
    optimizer+: { parameter_groups: [
      [['^(module\\.)?parser\\.'], { name: 'parser', lr: $.parser_lr }],
      [['^(module\\.)?(encoder|graph_encoder|classifier)\\.'], { name: 'classifier' }],
    ] },
    callbacks: [{ type: 'resumable' }, { type: 'divergence' }, { type: 'self_contained' }],
  },
}
