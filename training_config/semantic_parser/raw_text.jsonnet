// A semantic parser of raw text, from words and their characters alone: the one that goes into a sentiment classifier.
local raw_text = import '../common/raw_text.libsonnet';

(import '../common/semantic_parser.libsonnet') + {
  dataset_reader+: { token_indexers: raw_text.indexers },
  model+: { encoder+: { text_field_embedder: {
    token_embedders: { words: raw_text.words(100), characters: raw_text.characters },
  } } },
}
