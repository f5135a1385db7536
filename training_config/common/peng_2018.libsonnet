// The settings of the authors' code (Peng et al., 2018); docs/peng_2018.md says what differs. Sentence by sentence, structured
// hinges, predicates with scores of their own, the roles that no predicate of the training data has twice, two-layer perceptrons,
// Adam halved every ten epochs, each parser's gradient clipped by itself; and pruners, if there are archives of them.
local tree_pruner = std.extVar('SPIGOT_TREE_PRUNER');
local graph_pruner = std.extVar('SPIGOT_GRAPH_PRUNER');
local pruner(kind, archive) =
  if archive == '' then {} else { pruner: { type: kind, parser: { type: 'pretrained', archive_file: archive } } };
local vocabulary(archive) = { vocabulary: { type: 'extend', directory: archive + '!vocabulary' } };

{
  data_loader+: { scheduler+: { batch_size: 1 } },
  model+: {
    syntactic_parser+: {
      encoder+: { embedding_dropout: 0.0, dropout: 0.0 },
      arc_scorer: { type: 'mlp', hidden_dim: 100 },
    } + pruner('heads', tree_pruner),
    semantic_parser+: {
      encoder+: { embedding_dropout: 0.0, dropout: 0.0 },
      arc_scorer: { type: 'mlp', hidden_dim: 100 },
      label_scorer: { type: 'mlp', hidden_dim: 100 },
      predicate_scorer: { hidden_dim: 100 },
      structure: { type: 'predicate_graph', deterministic_roles: 'from_training_data' },
      loss: { type: 'hinge', false_positive_cost: 0.4, false_negative_cost: 0.6 },
    } + pruner('arguments', graph_pruner),
  },
  trainer+: {
    num_epochs: 100,
    grad_norm: 1.0,
    optimizer+: { lr: 0.001, betas: [0.9, 0.999], shrinkage: 1e-6 },
    learning_rate_scheduler: { type: 'step', step_size: 10, gamma: 0.5 },
    callbacks+: [{ type: 'self_contained' }],
  },
} + (
  // The semantic pruner is the later one, whose vocabulary begins with that of the other.
  if graph_pruner != '' then vocabulary(graph_pruner) else if tree_pruner != '' then vocabulary(tree_pruner) else {}
)
