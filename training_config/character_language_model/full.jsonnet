// Characters of a text with full backpropagation through time, and no memory.
(import '../common/character_language_model.libsonnet') + {
  encoder+:: { top_k: 0, truncation: null },
}
