// A semantic parser of raw text on a pretrained transformer (SPIGOT_TRANSFORMER: its name or folder).
local transformer = import '../common/transformer.libsonnet';

(import '../common/semantic_parser.libsonnet') + {
  dataset_reader+: { token_indexers: transformer.indexers },
  model+: { encoder: transformer.encoder, initializer: transformer.rare_arcs },
  trainer+: transformer.trainer(transformer.groups('parser', '', lr=0.001, transformer_lr=0.0001)),
}
