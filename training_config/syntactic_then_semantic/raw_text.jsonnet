// SPIGOT as in spigot.jsonnet, small, from words and their characters alone, so that any sentence can be typed in: the first parser to train.
local raw_text = import '../common/raw_text.libsonnet';
local reader = { token_indexers: raw_text.indexers };
local parser = { arc_scorer+: { hidden_dim: 100 }, encoder+: {
  text_field_embedder: { token_embedders: { words: raw_text.words(100), characters: raw_text.characters } },
  encoder: { type: 'lstm', input_size: 200, hidden_size: 100, bidirectional: true },
} };

(import 'spigot.jsonnet') + {
  dataset_reader+: { readers+: { syntax+: reader, semantics+: reader } },
  validation_dataset_reader+: reader,
  model+: { syntactic_parser+: parser { encoder+: { word_dropout+: { together: [] } } }, semantic_parser+: parser },
  trainer+: { num_epochs: 5 },
}
