// Characters of a text with backpropagation truncated to windows of 10 steps, and no memory.
(import '../common/character_language_model.libsonnet') + {
  encoder+:: { top_k: 0, truncation: 10 },
}
