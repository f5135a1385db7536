// The syntactic parser, alone or as the intermediate one. It loses lemma and part of speech with the word.
{
  type: 'syntactic_parser',
  encoder: (import 'encoder.libsonnet') + { word_dropout+: { together: ['lemmas', 'pos'] } },
  arc_scorer: { type: 'biaffine', hidden_dim: 200, dropout: 0.33 },
  structure: { type: 'projective_tree' },
  loss: { type: 'hinge' },
  initializer: import 'initializer.libsonnet',
}
