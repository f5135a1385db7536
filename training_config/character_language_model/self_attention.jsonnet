// Characters of a text with attention to all of the past, and full backpropagation through time.
(import '../common/character_language_model.libsonnet') + {
  encoder+:: { attend_every: 1, top_k: null, truncation: null },
}
