// Sparse attentive backtracking on the copying problem at T = 300: windows of 8 steps, 5 memories (Ke et al., 2018).
(import 'sparse_attentive.jsonnet') + {
  delay:: 300,
  trainer+: { num_epochs: 9 },
}
