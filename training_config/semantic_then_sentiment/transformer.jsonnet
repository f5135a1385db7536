// SPIGOT on semantic graphs, with pretrained transformers (SPIGOT_TRANSFORMER: name or folder): SPIGOT_ARCHIVE is a parser from
// semantic_parser/transformer.jsonnet, and the classifier has a transformer of its own.
local transformer = import '../common/transformer.libsonnet';

(import '../common/semantic_then_sentiment.libsonnet') + {
  dataset_reader+: { readers+: { sentiment+: { token_indexers: transformer.indexers } } },
  model+: { encoder: transformer.encoder, initializer: { regexes: [] } },
  trainer+: transformer.trainer(
    transformer.groups('parser', 'parser\\.', lr=$.parser_lr, transformer_lr=0.00001) +
    transformer.groups('classifier', '(encoder|graph_encoder|classifier)\\.', lr=0.001, transformer_lr=0.00005)
  ) + { num_epochs: 4 },
}
