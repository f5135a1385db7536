// SPIGOT on projective trees, each parser on a pretrained transformer of its own (SPIGOT_TRANSFORMER: its name or folder).
local transformer = import '../common/transformer.libsonnet';
local reader = { token_indexers: transformer.indexers };
local parser = { encoder: transformer.encoder, initializer: { regexes: [] } };
local groups(name) = transformer.groups(name, name + '\\.', lr=0.001, transformer_lr=0.0001);

(import '../common/syntactic_then_semantic.libsonnet') + {
  dataset_reader+: { readers+: { syntax+: reader, semantics+: reader } },
  validation_dataset_reader+: reader,
  model+: {
    syntactic_parser+: parser,
    semantic_parser+: parser { initializer: transformer.rare_arcs },
  },
  trainer+: transformer.trainer(groups('syntactic_parser') + groups('semantic_parser')),
}
