// Sparse attentive backtracking on the copying problem at T = 200: windows of 5 steps, 5 memories (Ke et al., 2018).
(import '../common/copying.libsonnet') + {
  delay:: 200,
  encoder+:: { top_k: 5, truncation: 5 },
}
