// The pruner of the semantic parser of Peng et al. (2018), trained for three epochs: SPIGOT_GRAPH_PRUNER is its archive. If there
// is a pruner of trees, that comes first: the vocabulary of this one begins with its.
local tree_pruner = std.extVar('SPIGOT_TREE_PRUNER');
(import '../common/semantic_parser.libsonnet') + (import '../common/pruner.libsonnet')(num_epochs=3) + {
  model+: {
    structure: { type: 'predicate_graph' },
    label_scorer: { type: 'mlp', hidden_dim: 32 },
    predicate_scorer: { hidden_dim: 32 },
  },
} + (if tree_pruner == '' then {} else { vocabulary: { type: 'extend', directory: tree_pruner + '!vocabulary' } })
