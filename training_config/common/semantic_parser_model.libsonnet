// The semantic parser, alone or behind a syntactic one.
{
  type: 'semantic_parser',
  encoder: import 'encoder.libsonnet',
  arc_scorer: { type: 'biaffine', hidden_dim: 200, dropout: 0.33 },
  label_scorer: { type: 'biaffine', hidden_dim: 100, dropout: 0.33 },
  structure: { type: 'semantic_graph' },
  loss: { type: 'log_likelihood' },
  initializer: import 'initializer.libsonnet',
}
