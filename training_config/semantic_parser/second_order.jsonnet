// A semantic parser alone, whose arcs score each other, too: siblings, co-parents and grandparents.
local base = import '../common/semantic_parser.libsonnet';
base {
  model+: {
    loss: { type: 'log_likelihood' },
    arc_scorer: { type: 'second_order', first_order: base.model.arc_scorer, dropout: 0.33 },
  },
}
