// Sparse attentive backtracking on characters of a text: windows of 10 steps, 5 memories (Ke et al., 2018).
(import '../common/character_language_model.libsonnet') + {
  encoder+:: { top_k: 5, truncation: 10 },
}
